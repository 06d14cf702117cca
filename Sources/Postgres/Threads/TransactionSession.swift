import Synchronization

/// Hands a transaction's jobs to the one worker that serves it.
final class TransactionSession: Sendable {
    /// How many jobs may wait at once; more means tasks that share a transaction and do not wait for one another.
    private static let queuedMax = 64

    let deadline: Deadline
    private let state = Mutex(State())

    private struct State {
        var queue = JobQueue()
        var worker: WakeUp?
        /// Why no job is taken any more.
        var end: PostgresError?
    }

    init(deadline: Deadline) {
        self.deadline = deadline
    }

    /// Called by the worker that opened the transaction, before the task learns that it is open.
    func serve(by worker: WakeUp) {
        state.withLock { $0.worker = worker }
    }

    /// Hands over a job and waits for its outcome.
    func run(_ work: Job.Work, isCancellable: Bool) async -> Job.Outcome {
        let job = Job(work, deadline: deadline)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                job.await(continuation)
                submit(job)
            }
        } onCancel: {
            if isCancellable { job.cancel() }
        }
    }

    private func submit(_ job: Job) {
        let refusal: PostgresError? = state.withLock { state in
            if let end = state.end { return end }
            if state.queue.count >= Self.queuedMax { return PostgresError(.poolExhausted) }
            state.queue.append(job)
            return nil
        }
        guard let refusal else {
            state.withLock { $0.worker }?.signal()
            return
        }
        job.finish(.failure(refusal))
    }

    /// The next job, for the worker.
    func take(for worker: WakeUp) -> Job? {
        let job = state.withLock { $0.queue.popFirst() }
        job?.assign(to: worker)
        return job
    }

    /// Ends the session; what is queued and what comes later fails with this error.
    func end(_ error: PostgresError) {
        let queued = state.withLock { state in
            if state.end == nil { state.end = error }
            state.worker = nil
            return state.queue.remove { _ in true }
        }
        for job in queued { job.finish(.failure(error)) }
    }
}
