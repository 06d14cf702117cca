import CLibpq
import Glibc

/// What the server still has to answer to.
enum Expectation {
    /// Statements that fell out of the cache are deallocated, before the job and in a transaction of their own.
    case deallocation(name: String)
    case preparation(index: Int)
    case execution(index: Int)
    case sync
}

/// Statements that are one transaction, and what bounds their time.
struct Batch {
    let statements: [SQL]
    let limits: Limits
}

typealias BatchOutcome = Result<[PostgresResult], Connection.Failure>

extension Connection.Failure {
    /// Nothing was sent that could have had an effect.
    static var unsent: Self {
        Self(error: PostgresError(.connectionLost(outcomeUnknown: false)), mayRunAgain: true)
    }
}

extension Connection {
    /// Runs statements in one pipeline with one Sync.
    ///
    /// Outside an explicit transaction that makes them one implicit transaction: any error undoes all of them.
    ///
    /// - Parameters:
    ///   - statements: What to run.
    ///   - commits: Whether the Sync may commit, so that losing the connection after it leaves the outcome unknown.
    ///   - limits: The job's.
    /// - Returns: A result for each statement.
    /// - Throws: The first refusal, or the reason why there is no answer.
    func run(_ statements: [SQL], commits: Bool, _ limits: Limits) throws(Failure) -> [PostgresResult] {
        var outcome: BatchOutcome?
        run([Batch(statements: statements, limits: limits)], commits: commits) { outcome = $1 }
        guard let outcome else { preconditionFailure("each batch is answered") }
        return try outcome.get()
    }

    /// Runs batches one after the other, all of them sent before the first answer is read.
    ///
    /// Each has a Sync of its own and so is a transaction of its own: an error undoes one of them. A cancellation for
    /// one that has just ended may hit the next, which then may run again.
    ///
    /// - Parameters:
    ///   - batches: At least one; none has an earlier deadline than the one before it.
    ///   - commits: As for one batch.
    ///   - answer: Gets each batch's position and outcome, in order, as soon as it is known.
    func run(_ batches: [Batch], commits: Bool, _ answer: (Int, BatchOutcome) -> Void) {
        prepared.beginPipeline()
        defer { prepared.endPipeline() }
        let ends = send(batches)
        var receipt = Receipt()
        if isBroken {
            receipt.end = .lost
        } else {
            do throws(Interruption) { try flush(batches[0].limits) } catch { receipt.end = error }
        }
        for (index, batch) in batches.enumerated() {
            guard index < ends.count else {
                // Without a Sync the server rolls back when it sees the connection end.
                answer(index, .failure(.unsent))
                continue
            }
            let start = index == 0 ? 0 : ends[index - 1]
            let reception = Reception(statements: batch.statements, answers: start..<ends[index])
            answer(index, outcome(of: batch, reception, commits, &receipt))
        }
    }

    /// What reading the answers has come to, over the batches of one pipeline.
    private struct Receipt {
        /// Why nothing more can be read.
        var end: Interruption?
        /// Whether the server said that it ends the session: what comes after has not run.
        var isSessionEnded = false
        /// Whether a cancellation was sent.
        var hasCancelled = false
    }

    private func outcome(
        of batch: Batch, _ start: Reception, _ commits: Bool, _ receipt: inout Receipt
    ) -> BatchOutcome {
        if receipt.isSessionEnded { return .failure(.unsent) }
        var reception = start
        var interruption: Interruption?
        do throws(Interruption) {
            if let end = receipt.end { throw end }
            interruption = try finish(within: batch.limits) { limits throws(Interruption) in
                try receive(&reception, limits)
            }
        } catch {
            isBroken = true
            // The first is told the reason, the others that the connection is gone.
            receipt.end = .lost
            receipt.isSessionEnded = reception.refusal?.isFatal == true
            return .failure(failure(error, reception, commits))
        }
        if interruption != nil { receipt.hasCancelled = true }
        guard let refusal = reception.refusal else { return .success(reception.results) }
        var failure = failure(refusal, interruption, batch.statements)
        if receipt.hasCancelled, interruption == nil, refusal.error.sqlState == "57014" { failure.mayRunAgain = true }
        return .failure(failure)
    }

    /// Sends the batches, each with its Sync.
    ///
    /// - Returns: For each that was sent, where its answers end; an empty list if none was.
    private func send(_ batches: [Batch]) -> [Int] {
        expected.removeAll(keepingCapacity: true)
        var ends: [Int] = []
        guard isQuiet, queueDeallocations() else {
            isBroken = true
            return ends
        }
        for batch in batches {
            let isQueued = batch.statements.indices.allSatisfy { queue(batch.statements[$0], $0) }
            // Of the later ones it is not asked: the connection was alive a moment ago.
            guard isQueued, !ends.isEmpty || isAlive else {
                isBroken = true
                return ends
            }
            expected.append(.sync)
            ends.append(expected.count)
            guard unsafe PQpipelineSync(raw) == 1 else {
                isBroken = true
                return ends
            }
        }
        return ends
    }

    /// The failure of statements whose connection is no longer any use.
    private func failure(_ interruption: Interruption, _ reception: Reception, _ commits: Bool) -> Failure {
        if let refusal = reception.refusal, !refusal.isFatal { return Failure(error: refusal.error) }
        // What is unsent is the end of the last batch at least.
        let isUnsent = hasUnsent && reception.answers.upperBound == expected.count
        let mayBeCommitted = commits && !isUnsent
        let kind = interruption == .lost ? .connectionLost(outcomeUnknown: mayBeCommitted) : interruption.kind
        var error = PostgresError(kind, outcomeIsUnknown: mayBeCommitted)
        error.sqlState = reception.refusal?.error.sqlState
        return Failure(error: error, mayRunAgain: interruption == .lost && !mayBeCommitted)
    }

    /// The failure of statements that the server refused and undid.
    private func failure(
        _ refusal: Reception.Refusal, _ interruption: Interruption?, _ statements: [SQL]
    ) -> Failure {
        if let interruption, refusal.error.sqlState == "57014" {
            return Failure(error: PostgresError(interruption.kind, statement: refusal.error.statement))
        }
        guard let index = refusal.index else { return Failure(error: refusal.error) }
        guard prepared.isFromEarlier(statements[index]) || refusal.isOfLaterBatch else {
            return Failure(error: refusal.error)
        }
        switch refusal.error.sqlState {
        case "0A000":
            // "cached plan must not change result type": the table was altered since. All are prepared anew, because
            // the others may have the same flaw.
            prepared.forget(statements)
            return Failure(error: refusal.error, mayRunAgain: true)
        case "26000":
            // Somebody deallocated our statements, or a pooler changed the server under us; or the batch before failed
            // before it had prepared this one.
            if prepared.isFromEarlier(statements[index]) { prepared.forgetAll() }
            return Failure(error: refusal.error, mayRunAgain: true)
        default:
            return Failure(error: refusal.error)
        }
    }

    private func queueDeallocations() -> Bool {
        guard !prepared.obsolete.isEmpty else { return true }
        for name in prepared.obsolete {
            guard unsafe PQsendQueryParams(raw, "deallocate \(name)", 0, nil, nil, nil, nil, 1) == 1 else {
                return false
            }
            expected.append(.deallocation(name: name))
        }
        expected.append(.sync)
        return unsafe PQpipelineSync(raw) == 1
    }

    private func queue(_ statement: SQL, _ index: Int) -> Bool {
        let plan = usesPreparedStatements ? prepared.plan(statement) : .unnamed
        if case .prepareThenExecute(let name) = plan {
            guard sendPreparation(statement, name) else { return false }
            expected.append(.preparation(index: index))
        }
        expected.append(.execution(index: index))
        return send(statement, plan)
    }

    private func sendPreparation(_ statement: SQL, _ name: String) -> Bool {
        let count = statement.parameters.count
        return unsafe withUnsafeTemporaryAllocation(of: Oid.self, capacity: max(count, 1)) { types in
            for index in 0..<count { unsafe types[index] = statement.parameters[index].type.oid }
            return unsafe PQsendPrepare(raw, name, statement.text, Int32(count), types.baseAddress) == 1
        }
    }

    /// Sends an execution with its parameters; the pointers to them live on the stack.
    private func send(_ statement: SQL, _ plan: PreparedStatements.Plan) -> Bool {
        let parameters = statement.parameters
        let count = parameters.count
        return unsafe statement.bytes.withUnsafeBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(count, 1)) { values in
                // Lengths, formats and types, one after the other.
                unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(3 * count, 1)) { numbers in
                    let base = unsafe UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
                    for index in 0..<count {
                        let parameter = parameters[index]
                        unsafe values[index] =
                            unsafe parameter.isNull ? nil : base.map { unsafe $0 + parameter.bytes.lowerBound }
                        unsafe numbers[index] = Int32(clamping: parameter.bytes.count)
                        unsafe numbers[count + index] = parameter.type.isText ? 0 : 1
                        unsafe numbers[2 * count + index] = Int32(bitPattern: parameter.type.oid)
                    }
                    return unsafe send(statement.text, plan, count, values.baseAddress, numbers.baseAddress)
                }
            }
        }
    }

    private func send(
        _ text: String, _ plan: PreparedStatements.Plan, _ count: Int,
        _ values: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ numbers: UnsafeMutablePointer<Int32>?
    ) -> Bool {
        let formats = unsafe numbers.map { unsafe $0 + count }
        switch plan {
        case .execute(let name), .prepareThenExecute(let name):
            return unsafe PQsendQueryPrepared(raw, name, Int32(count), values, numbers, formats, 1) == 1
        case .unnamed:
            let types = unsafe numbers.map { unsafe UnsafeMutableRawPointer($0 + 2 * count) }
            let oids = unsafe types?.assumingMemoryBound(to: Oid.self)
            return unsafe PQsendQueryParams(raw, text, Int32(count), oids, values, numbers, formats, 1) == 1
        }
    }
}
