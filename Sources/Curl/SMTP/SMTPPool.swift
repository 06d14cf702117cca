import Dispatch
import Foundation
import Synchronization

/// Hands mails to one relay over a few connections, each on a thread of its own.
///
/// The threads are there because SMTP blocks, in libcurl also under its multi interface (`SMTPConnection`). Nothing of
/// this runs on Swift's shared executor.
package final class SMTPPool: Sendable {
    /// How much the pool takes on.
    package struct Limits: Sendable {
        /// Connections, and threads.
        ///
        /// 8 to 16 for one relay; more only moves the queue into the relay.
        package var connectionsMax = 8
        /// Mails that may wait for a connection; one more is refused at once.
        package var queuedMax = 1000

        /// The limits as their declarations say.
        package init() {}
    }

    private struct Job: Sendable {
        let id: Int
        let message: SMTPMessage
        /// When it is handed back, if it still waits; by the stopwatch.
        let end: Int64
        let finish: CheckedContinuation<SMTPResult, Never>
    }

    private struct State {
        var queue: [Job] = []
        /// When the queue is looked through next for mails whose deadline has passed; nil while nothing waits.
        var alarm: Int64?
        var nextID = 0
        var isShutDown = false
        var threadsRunning = 0
        var onThreadsEnded: [CheckedContinuation<Void, Never>] = []
    }

    /// What the threads share with the pool; they keep it alive, not the pool.
    private final class Shared: Sendable {
        let relay: SMTPRelay
        let state = Mutex(State())
        /// One signal for each queued mail, or to look again at shutdown.
        let wake = DispatchSemaphore(value: 0)

        init(_ relay: SMTPRelay) {
            self.relay = relay
        }
    }

    private let shared: Shared
    private let queuedMax: Int
    private let threadCount: Int

    /// Makes the pool and starts its threads; connections are made when mails come.
    package init(relay: SMTPRelay, limits: Limits = Limits()) {
        shared = Shared(relay)
        queuedMax = limits.queuedMax
        let threadCount = max(1, limits.connectionsMax)
        self.threadCount = threadCount
        shared.state.withLock { $0.threadsRunning = threadCount }
        for number in 1...threadCount {
            let thread = Thread { [shared] in Self.work(shared) }
            thread.name = "smtp-\(number)"
            thread.start()
        }
    }

    deinit {
        Self.close(shared, wakeCount: threadCount)
    }

    /// How many mails wait for a connection now.
    package var queuedCount: Int { shared.state.withLock { $0.queue.count } }

    /// Sends one mail and says what became of it.
    ///
    /// Cancelling the calling task takes back a mail that still waits for a connection. One that is on its way is not
    /// interrupted: its result is worth more than the time.
    ///
    /// - Parameters:
    ///   - message: The mail.
    ///   - deadline: How long it may take from now, the wait for a connection included.
    /// - Returns: The end; it never throws, because every end is to be recorded.
    package func send(_ message: SMTPMessage, deadline: Duration) async -> SMTPResult {
        let id = shared.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let end = Stopwatch.monotonicNanoseconds(after: deadline)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(Job(id: id, message: message, end: end, finish: continuation))
            }
        } onCancel: {
            Self.takeBack(id, from: shared)
        }
    }

    /// Takes no more mails, hands back those that wait, finishes those on their way and ends the threads.
    package func shutdown() async {
        Self.close(shared, wakeCount: threadCount)
        await withCheckedContinuation { continuation in
            shared.state.withLock { state in
                if state.threadsRunning == 0 {
                    continuation.resume()
                } else {
                    state.onThreadsEnded.append(continuation)
                }
            }
        }
    }

    private func enqueue(_ job: Job) {
        let (refusal, isFirstToEnd): (SMTPResult.Reason?, Bool) = shared.state.withLock { state in
            // The flag is read under the lock that `takeBack` needs, so a cancellation is not missed.
            if Task.isCancelled { return (.cancelled, false) }
            if state.isShutDown { return (.shutDown, false) }
            if state.queue.count >= queuedMax { return (.queueFull, false) }
            state.queue.append(job)
            if let alarm = state.alarm, alarm <= job.end { return (nil, false) }
            state.alarm = job.end
            return (nil, true)
        }
        if let refusal {
            job.finish.resume(returning: .notStarted(refusal))
        } else {
            shared.wake.signal()
        }
        if isFirstToEnd { Self.watch(shared, until: job.end) }
    }

    private static func takeBack(_ id: Int, from shared: Shared) {
        let job = shared.state.withLock { state in
            state.queue.firstIndex { $0.id == id }.map { state.queue.remove(at: $0) }
        }
        job?.finish.resume(returning: .notStarted(.cancelled))
    }

    /// Hands back, at a moment, the mails that have waited for a connection until their deadline.
    ///
    /// One timer for all that wait: one for each mail would live until its deadline, long after the mail was sent, and
    /// at 2,500 mails a second those were most of a worker's memory.
    private static func watch(_ shared: Shared, until alarm: Int64) {
        Task.detached {
            try? await Task.sleep(for: .nanoseconds(alarm - Stopwatch.monotonicNanoseconds()))
            // The sleep never ends early.
            let now = max(alarm, Stopwatch.monotonicNanoseconds())
            let (late, next) = shared.state.withLock { state -> ([Job], Int64?) in
                let late = state.queue.filter { $0.end <= now }
                state.queue.removeAll { $0.end <= now }
                // Another one, for an earlier moment, has taken over.
                guard state.alarm == alarm else { return (late, nil) }
                state.alarm = state.queue.map(\.end).min()
                return (late, state.alarm)
            }
            for job in late { job.finish.resume(returning: .notStarted(.deadline)) }
            if let next { watch(shared, until: next) }
        }
    }

    private static func close(_ shared: Shared, wakeCount: Int) {
        let waiting = shared.state.withLock { state in
            state.isShutDown = true
            defer { state.queue = [] }
            return state.queue
        }
        for job in waiting { job.finish.resume(returning: .notStarted(.shutDown)) }
        for _ in 0..<wakeCount { shared.wake.signal() }
    }

    /// A thread's life: wait for a mail, send it, and let go of a connection that nobody has used for a while.
    private static func work(_ shared: Shared) {
        var connection: SMTPConnection?
        while true {
            // Only an open connection has something to do when nothing comes.
            let idleEnd = DispatchTime(uptimeNanoseconds: Stopwatch.nanoseconds(after: shared.relay.idleTimeout))
            let wasWoken = shared.wake.wait(timeout: connection == nil ? .distantFuture : idleEnd) == .success
            let (job, isOver) = shared.state.withLock { state in
                (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isShutDown)
            }
            if let job {
                job.finish.resume(returning: send(job, over: &connection, shared.relay))
            } else if isOver {
                break
            } else if !wasWoken {
                connection = nil
            }
        }
        connection = nil
        let waiters = shared.state.withLock { state in
            state.threadsRunning -= 1
            return state.threadsRunning == 0 ? state.onThreadsEnded : []
        }
        for waiter in waiters { waiter.resume() }
    }

    private static func send(_ job: Job, over connection: inout SMTPConnection?, _ relay: SMTPRelay) -> SMTPResult {
        let rest = Duration.nanoseconds(job.end - Stopwatch.monotonicNanoseconds())
        guard rest > .zero else { return .notStarted(.deadline) }
        do throws(CurlError) {
            let open: SMTPConnection
            if let connection { open = connection } else { open = try SMTPConnection(relay) }
            connection = open
            return open.send(job.message, within: rest)
        } catch {
            return .notStarted(.settings)
        }
    }
}
