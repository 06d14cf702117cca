import CLibpq

extension Connection {
    /// Runs a text of many statements by the simple protocol, which has no parameters and no pipeline.
    ///
    /// The rows are dropped.
    func runScript(_ text: String, _ limits: Limits) throws(Failure) {
        guard unsafe PQexitPipelineMode(raw) == 1, unsafe PQsendQuery(raw, text) == 1 else {
            isBroken = true
            throw Failure(error: PostgresError(.connectionLost(outcomeUnknown: false)))
        }
        var refusal: PostgresError?
        let interruption: Interruption?
        do throws(Interruption) {
            interruption = try finish(within: limits) { limits throws(Interruption) in
                try flush(limits)
                try readScript(&refusal, limits)
            }
        } catch {
            // The script may have committed by itself, so nothing is known.
            isBroken = true
            throw Failure(error: PostgresError(error.kind, statement: text, outcomeIsUnknown: true))
        }
        guard unsafe PQenterPipelineMode(raw) == 1 else {
            isBroken = true
            throw Failure(error: PostgresError(.connectionLost(outcomeUnknown: true)))
        }
        guard let refusal else { return }
        if let interruption, refusal.sqlState == "57014" {
            throw Failure(error: PostgresError(interruption.kind, statement: text))
        }
        throw Failure(error: refusal)
    }

    private func readScript(_ refusal: inout PostgresError?, _ limits: Limits) throws(Interruption) {
        while true {
            try waitForResult(limits)
            guard let result = unsafe PQgetResult(raw) else {
                guard unsafe PQstatus(raw) == CONNECTION_OK else { throw .lost }
                return
            }
            defer { unsafe PQclear(result) }
            switch unsafe PQresultStatus(result) {
            case PGRES_FATAL_ERROR: refusal = unsafe refusal ?? PostgresError(server: result, statement: nil)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: throw .lost
            default: break
            }
        }
    }
}
