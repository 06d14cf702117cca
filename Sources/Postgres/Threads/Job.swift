import Synchronization

/// Something a task waits for a worker's thread to do.
final class Job: Sendable {
    enum Work: Sendable {
        /// Statements as one implicit transaction; within an open transaction, as part of it.
        case batch([SQL])
        /// Many statements in one text, without parameters.
        case script(String)
        /// Opens a transaction and then serves its jobs until it ends.
        case begin([SQL], TransactionSession)
        case commit
        case rollback
    }

    typealias Outcome = Result<[PostgresResult], PostgresError>

    let work: Work
    let deadline: Deadline
    /// When it was made, which is when it was queued.
    let queuedAt = Deadline(after: .zero)
    let cancelFlag = CancelFlag()
    private let state = Mutex(State())

    private struct State {
        var continuation: CheckedContinuation<Outcome, Never>?
        var runner: WakeUp?
    }

    init(_ work: Work, deadline: Deadline) {
        self.work = work
        self.deadline = deadline
    }

    /// Remembers the task that waits; called once, before the job can be seen by a thread.
    func await(_ continuation: CheckedContinuation<Outcome, Never>) {
        state.withLock { $0.continuation = continuation }
    }

    /// Remembers the thread that has taken the job, so that a cancellation can wake it.
    func assign(to runner: WakeUp) {
        state.withLock { $0.runner = runner }
    }

    /// The statements, if the job is no more than a batch.
    var statements: [SQL]? {
        if case .batch(let statements) = work { statements } else { nil }
    }

    /// Resumes the task; only the first call does.
    func finish(_ outcome: Outcome) {
        let continuation = state.withLock { state in
            state.runner = nil
            return state.continuation.take()
        }
        continuation?.resume(returning: outcome)
    }

    func fail(_ kind: PostgresError.Kind) {
        finish(.failure(PostgresError(kind)))
    }

    /// Asks whoever has the job to stop.
    func cancel() {
        cancelFlag.set()
        state.withLock { $0.runner }?.signal()
    }
}
