import Glibc

/// A thread's loop: takes a job, runs it on the one connection it owns, takes the next.
final class Worker {
    private let lane: Lane
    private let connector: Connector
    let wakeUp: WakeUp
    private var backoff: Backoff
    /// None before the first job and after a failure.
    var connection: Connection?

    init(lane: Lane, connector: Connector, wakeUp: WakeUp) {
        self.lane = lane
        self.connector = connector
        self.wakeUp = wakeUp
        backoff = Backoff(
            floor: lane.configuration.reconnectBackoffFloor, ceiling: lane.configuration.reconnectBackoffCeiling)
    }

    func run() {
        while true {
            switch lane.take(for: wakeUp) {
            case .job(let job): perform(job)
            case .batches(let jobs): perform(jobs)
            case .idle: waitForWork()
            case .closed: return
            }
        }
    }

    /// Waits for a job, and closes the connection as soon as the server says anything.
    ///
    /// To an idle connection it says nothing but good-bye (or, once in a while, that a setting was reloaded). So a
    /// restart is noticed before anything is sent, and a connection that takes one job after the other need not ask.
    private func waitForWork() {
        let found = wakeUp.wait(orFor: Int16(POLLIN), on: connection?.socket ?? -1, milliseconds: -1)
        if found.events != 0 { connection = nil }
    }

    private func perform(_ job: Job) {
        let limits = Limits(deadline: job.deadline, cancelFlag: job.cancelFlag, wakeUp: wakeUp)
        switch job.work {
        case .batch(let statements):
            job.finish(Result { () throws(PostgresError) in try run(statements, limits) })
        case .begin(let statements, let session):
            let opened = Result { () throws(PostgresError) in try begin(statements, limits) }
            if case .success = opened { session.serve(by: wakeUp) }
            job.finish(opened)
            if case .success = opened { serve(session) }
        case .script, .commit, .rollback:
            job.fail(.closed)
        }
        // What is broken, or still in a transaction, is not given to the next job.
        discardUnlessReusable()
    }

    /// Runs batches together; one that had no effect and may run again does so alone.
    private func perform(_ jobs: [Job]) {
        var again: [Job] = []
        var sent: [Job] = []
        var batches: [Batch] = []
        for job in jobs {
            let limits = Limits(deadline: job.deadline, cancelFlag: job.cancelFlag, wakeUp: wakeUp)
            if let failure = limits.failure {
                job.finish(.failure(failure.error))
            } else {
                sent.append(job)
                batches.append(Batch(statements: job.statements ?? [], limits: limits))
            }
        }
        guard let first = batches.first else { return }
        do throws(Connection.Failure) {
            try connected(first.limits).run(batches, commits: true) { index, outcome in
                if case .failure(let failure) = outcome, failure.mayRunAgain { return again.append(sent[index]) }
                sent[index].finish(outcome.mapError(\.error))
            }
        } catch {
            // There is no connection: each finds out for itself how long it may wait for one.
            again = sent
        }
        discardUnlessReusable()
        for job in again { perform(job) }
    }

    private func discardUnlessReusable() {
        if let connection, !connection.isReusable { self.connection = nil }
    }

    private func run(_ statements: [SQL], _ limits: Limits) throws(PostgresError) -> [PostgresResult] {
        try retryingOnce { () throws(Connection.Failure) in
            try connected(limits).run(statements, commits: true, limits)
        }
    }

    private func begin(_ statements: [SQL], _ limits: Limits) throws(PostgresError) -> [PostgresResult] {
        try retryingOnce { () throws(Connection.Failure) in
            let connection = try connected(limits)
            do throws(Connection.Failure) {
                return try connection.run(["begin"] + statements, commits: false, limits)
            } catch {
                rollBack()
                throw error
            }
        }
    }

    /// Runs the work a second time if the first had no effect and the cause may be gone.
    private func retryingOnce(
        _ work: () throws(Connection.Failure) -> [PostgresResult]
    ) throws(PostgresError) -> [PostgresResult] {
        do throws(Connection.Failure) {
            return try work()
        } catch {
            guard error.mayRunAgain else { throw error.error }
            discardUnlessReusable()
        }
        do throws(Connection.Failure) {
            return try work()
        } catch {
            throw error.error
        }
    }

    /// The connection, replaced if it has died while idle.
    private func connected(_ limits: Limits) throws(Connection.Failure) -> Connection {
        if let failure = limits.failure { throw failure }
        if let connection { return connection }
        do throws(PostgresError) {
            let opened = try connector.open(limits, &backoff) { lane.isClosed }
            connection = opened
            return opened
        } catch {
            throw Connection.Failure(error: error)
        }
    }

    /// Undoes an open transaction, or closes the connection, which comes to the same.
    func rollBack() {
        guard let connection, !connection.isBroken else { return }
        let limits = Limits(
            deadline: Deadline(after: lane.configuration.cancelGrace), cancelFlag: nil, wakeUp: wakeUp)
        do throws(Connection.Failure) {
            _ = try connection.run(["rollback"], commits: false, limits)
        } catch {
            connection.isBroken = true
        }
    }
}
