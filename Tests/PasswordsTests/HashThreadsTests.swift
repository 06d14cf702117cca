import Dispatch
import Synchronization
import Testing

@testable import Passwords

@Suite("Hash threads")
struct HashThreadsTests {
    /// What happened, in order.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func `while others wait, results are handed over together, and none is left behind`() async {
        let threads = HashThreads(threads: 1, queueMax: 9)
        let log = Log()
        let gate = DispatchSemaphore(value: 0)

        for number in 0..<6 {
            let isTaken = threads.submit {
                // The first one lasts until all of them are there.
                if number == 0 { gate.wait() }
                log.add("did \(number)")
                return { log.add("told \(number)") }
            }
            #expect(isTaken)
        }
        gate.signal()
        await threads.stop()

        #expect(
            log.all == [
                "did 0", "did 1", "told 0", "told 1", "did 2", "did 3", "told 2", "told 3", "did 4", "told 4",
                "did 5", "told 5",
            ])
    }

    @Test func `where nobody waits, a result is handed over at once`() async {
        let threads = HashThreads(threads: 4, queueMax: 9)

        await withCheckedContinuation { continuation in
            let isTaken = threads.submit { { continuation.resume() } }
            #expect(isTaken)
        }

        await threads.stop()
    }
}
