import Glibc

extension Worker {
    /// Runs a transaction's jobs until it ends: by commit, by rollback, by its deadline or with its connection.
    func serve(_ session: TransactionSession) {
        while let connection, !connection.isBroken {
            guard let job = session.take(for: wakeUp) else {
                if let error = waitForJob(of: session, connection) { return end(session, error) }
                continue
            }
            let limits = Limits(deadline: job.deadline, cancelFlag: job.cancelFlag, wakeUp: wakeUp)
            let result = Result { () throws(PostgresError) in
                try perform(job.work, on: connection, limits)
            }
            switch job.work {
            case .commit, .rollback:
                end(session, PostgresError(.closed))
                return job.finish(result)
            case .batch, .script, .begin:
                if connection.isBroken { session.end(Self.lostError(result)) }
                job.finish(result)
            }
        }
    }

    /// Waits for the next job of an idle transaction.
    ///
    /// - Returns: Why there will be none.
    private func waitForJob(of session: TransactionSession, _ connection: Connection) -> PostgresError? {
        let remaining = session.deadline.remainingMilliseconds
        guard remaining > 0 else { return PostgresError(.deadlineExceeded) }
        let found = wakeUp.wait(orFor: Int16(POLLIN), on: connection.socket, milliseconds: remaining)
        guard found.events != 0 else { return nil }
        // The server says nothing to an idle transaction but that it ends the session.
        connection.isBroken = true
        return PostgresError(.connectionLost(outcomeUnknown: false))
    }

    private func end(_ session: TransactionSession, _ error: PostgresError) {
        session.end(error)
        if let connection, connection.isInTransaction { rollBack() }
    }

    /// What later jobs of a transaction are told whose connection is gone.
    private static func lostError(_ result: Job.Outcome) -> PostgresError {
        guard case .failure(let error) = result, error.kind != .server else {
            return PostgresError(.connectionLost(outcomeUnknown: false))
        }
        return error
    }

    private func perform(
        _ work: Job.Work, on connection: Connection, _ limits: Limits
    ) throws(PostgresError) -> [PostgresResult] {
        if limits.cancelFlag?.isSet == true { throw PostgresError(.cancelled) }
        do throws(Connection.Failure) {
            switch work {
            case .batch(let statements):
                return try connection.run(statements, commits: false, limits)
            case .script(let text):
                try connection.runScript(text, limits)
                return []
            case .commit:
                return try commit(connection, limits)
            case .rollback, .begin:
                rollBack()
                return []
            }
        } catch {
            throw error.error
        }
    }

    private func commit(_ connection: Connection, _ limits: Limits) throws(Connection.Failure) -> [PostgresResult] {
        let results = try connection.run(["commit"], commits: true, limits)
        // The server answers ROLLBACK if a statement of the transaction had failed and the caller went on.
        guard results.first?.commandTag == "COMMIT" else {
            var error = PostgresError(.server, statement: "commit")
            error.sqlState = "25P02"
            throw Connection.Failure(error: error)
        }
        return results
    }
}
