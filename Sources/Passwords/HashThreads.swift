internal import CLibsodium
import Glibc
import Synchronization

/// A bounded pool of threads at low priority, for work that would starve everything else.
///
/// Measured: hashing in a request handler cuts every other endpoint from 26,000 to 190 requests a second; on
/// threads of their own, niced, the others keep 85 %. The queue is bounded too: who finds it full is told to
/// come back, which is better than to wait behind sixty others.
///
/// While many wait, results are handed over several together. What goes on after a hash finds caches that the hash
/// has emptied; together, all but the first find them warm (docs/decisions/0051).
final class HashThreads: Sendable {
    /// How much less than the rest of the program the threads are given.
    static let nice: CInt = 13

    /// A piece of work; returns what hands its result over.
    typealias Piece = @Sendable () -> @Sendable () -> Void

    private struct State {
        var waiting: [Piece] = []
        /// Results that are kept for the next ones.
        var finished: [@Sendable () -> Void] = []
        var isStopping = false
        var runningThreads = 0
        /// How many results are handed over together: one is kept for the time of two pieces of work at most.
        var bunch: Int { 2 * runningThreads }
        var whenStopped: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let queueMax: Int
    private let work: Semaphore

    init(threads: Int, queueMax: Int) {
        self.queueMax = queueMax
        work = Semaphore()
        state.withLock { $0.runningThreads = threads }
        for _ in 0..<threads { start() }
    }

    /// Adds a piece of work; returns whether there was room for it.
    func submit(_ piece: @escaping Piece) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.runningThreads > 0, state.waiting.count < queueMax else { return false }
            state.waiting.append(piece)
            return true
        }
        if isTaken { work.signal() }
        return isTaken
    }

    /// Lets the queue run empty and ends the threads.
    func stop() async {
        await withCheckedContinuation { continuation in
            let (threads, isStopped) = state.withLock { state in
                let threads = state.isStopping ? 0 : state.runningThreads
                state.isStopping = true
                guard state.runningThreads > 0 else { return (threads, true) }
                state.whenStopped.append(continuation)
                return (threads, false)
            }
            for _ in 0..<threads { work.signal() }
            if isStopped { continuation.resume() }
        }
    }

    private func start() {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let pool = unsafe Unmanaged<HashThreads>.fromOpaque(context).takeRetainedValue()
                _ = gatepost_nice_this_thread(HashThreads.nice)
                pool.run()
                return nil
            }, context)
        guard code == 0 else {
            unsafe Unmanaged<HashThreads>.fromOpaque(context).release()
            state.withLock { $0.runningThreads -= 1 }
            return
        }
        pthread_detach(thread)
    }

    private func run() {
        while true {
            work.wait()
            let (piece, isStopping) = state.withLock { state in
                (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isStopping)
            }
            if let piece {
                handOver(piece())
            } else if isStopping {
                break
            }
        }
        let waiters = state.withLock { state in
            state.runningThreads -= 1
            defer { if state.runningThreads == 0 { state.whenStopped = [] } }
            return state.runningThreads == 0 ? state.whenStopped : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Hands a result over, or keeps it for the next ones while as many pieces wait as make a bunch.
    ///
    /// The last piece finds none waiting, so no result is left behind; in a queue too short for a bunch, none is kept.
    private func handOver(_ result: @escaping @Sendable () -> Void) {
        let results: [@Sendable () -> Void] = state.withLock { state in
            state.finished.append(result)
            guard state.finished.count >= state.bunch || state.waiting.count < state.bunch else { return [] }
            defer { state.finished = [] }
            return state.finished
        }
        for result in results { result() }
    }
}

/// A counting semaphore of the operating system, on which threads of our own may block.
@safe private final class Semaphore: @unchecked Sendable {
    private let handle: UnsafeMutablePointer<sem_t>

    init() {
        unsafe handle = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        unsafe sem_init(handle, 0, 0)
    }

    deinit {
        unsafe sem_destroy(handle)
        unsafe handle.deallocate()
    }

    func signal() { unsafe sem_post(handle) }

    func wait() {
        while unsafe sem_wait(handle) != 0 {}
    }
}
