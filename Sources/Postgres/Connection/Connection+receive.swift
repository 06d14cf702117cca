import CLibpq

/// What has come of a pipeline so far; kept apart so that reading can go on after a cancellation.
struct Reception {
    /// The server's first refusal.
    struct Refusal {
        let error: PostgresError
        /// Which statement it was; none if the commit itself was refused.
        let index: Int?
        /// Whether the server ended the session with it.
        let isFatal: Bool
        /// Whether another batch went before it, which may have been refused before it prepared what this one uses.
        let isOfLaterBatch: Bool
    }

    let statements: [SQL]
    var results: [PostgresResult] = []
    var refusal: Refusal?
    /// How much of what is expected has come.
    var position: Int
    /// Where what is expected for these statements begins and ends.
    let answers: Range<Int>
    var deallocated: [String] = []

    init(statements: [SQL], answers: Range<Int>) {
        self.statements = statements
        self.answers = answers
        position = answers.lowerBound
        results.reserveCapacity(statements.count)
    }
}

extension Connection {
    /// Reads until the statements' Sync has been answered.
    ///
    /// libpq ends each statement's results with NULL, but follows a Sync with none; so a NULL moves on by one
    /// expectation unless that is a Sync.
    func receive(_ reception: inout Reception, _ limits: Limits) throws(Interruption) {
        while reception.position < reception.answers.upperBound {
            try waitForResult(limits)
            guard let result = unsafe PQgetResult(raw) else {
                if case .sync = expected[reception.position] {
                    guard unsafe PQstatus(raw) == CONNECTION_OK else { throw .lost }
                } else {
                    reception.position += 1
                }
                continue
            }
            try unsafe take(result, &reception)
        }
        if !reception.deallocated.isEmpty { prepared.deallocated(reception.deallocated) }
    }

    private func take(_ result: OpaquePointer, _ reception: inout Reception) throws(Interruption) {
        let status = unsafe PQresultStatus(result)
        if status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY {
            return unsafe accept(result, &reception)
        }
        defer { unsafe PQclear(result) }
        switch status {
        case PGRES_PIPELINE_SYNC:
            guard case .sync = expected[reception.position] else { throw .lost }
            reception.position += 1
        case PGRES_PIPELINE_ABORTED:
            break
        case PGRES_FATAL_ERROR:
            guard unsafe PQstatus(raw) == CONNECTION_OK || PQresultErrorField(result, 0x43) != nil else { throw .lost }
            unsafe refuse(result, &reception)
        default:
            // COPY has no place in a pipeline; libpq cannot go on from here.
            throw .lost
        }
    }

    private func accept(_ result: OpaquePointer, _ reception: inout Reception) {
        switch expected[reception.position] {
        case .execution(let index):
            return unsafe reception.results.append(
                PostgresResult(taking: result, of: reception.statements[index].text))
        case .preparation(let index): prepared.confirm(reception.statements[index])
        case .deallocation(let name): reception.deallocated.append(name)
        case .sync: break
        }
        unsafe PQclear(result)
    }

    private func refuse(_ result: OpaquePointer, _ reception: inout Reception) {
        var index: Int?
        switch expected[reception.position] {
        case .deallocation(let name):
            // Gone already, or the transaction is aborted and it is tried again later.
            let error = unsafe PostgresError(server: result, statement: nil)
            if error.sqlState == "26000" { reception.deallocated.append(name) }
            return
        case .preparation(let failed), .execution(let failed): index = failed
        case .sync: break
        }
        guard reception.refusal == nil else { return }
        let text = index.map { reception.statements[$0].text }
        reception.refusal = unsafe Reception.Refusal(
            error: PostgresError(server: result, statement: text), index: index,
            isFatal: PostgresError.isFatal(result), isOfLaterBatch: reception.answers.lowerBound > 0)
    }
}
