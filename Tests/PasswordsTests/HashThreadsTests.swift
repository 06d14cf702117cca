import Dispatch
import Synchronization
import Testing

@testable import Passwords

@Suite("Hash threads", .timeLimit(.minutes(1)))
struct HashThreadsTests {
    /// What happened, in order.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func `while as many wait, results are handed over two for each thread`() async {
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

    /// Of two threads the first one's result is kept, since four wait, and goes with that of the third at the latest.
    @Test(arguments: [9, 6]) func `of several threads none leaves a result behind`(queueMax: Int) async {
        let threads = HashThreads(threads: 2, queueMax: queueMax)
        let log = Log()
        let gate = DispatchSemaphore(value: 0)

        for number in 0..<6 {
            let isTaken = threads.submit {
                if number < 2 { gate.wait() }
                return { log.add("told \(number)") }
            }
            #expect(isTaken)
        }
        gate.signal()
        gate.signal()
        await threads.stop()

        #expect(log.all.sorted() == (0..<6).map { "told \($0)" })
    }

    @Test func `where fewer wait, a result does not wait for theirs`() async {
        let threads = HashThreads(threads: 1, queueMax: 1)
        let (told, teller) = AsyncStream.makeStream(of: Void.self)
        let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))

        await withCheckedContinuation { begun in
            let isTaken = threads.submit {
                begun.resume()
                first.wait()
                return { teller.finish() }
            }
            #expect(isTaken)
        }
        let waits = threads.submit {
            second.wait()
            return {}
        }
        #expect(waits)
        first.signal()
        for await _ in told {}
        second.signal()

        await threads.stop()
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
