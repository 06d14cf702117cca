import Foundation

/// Work that is done again as soon as it is done.
enum Loop {
    /// How often an operation ends in a second, while so many tasks do nothing else.
    static func rate(
        tasks: Int, seconds: Int, _ operation: @escaping @Sendable () async throws -> Void
    ) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var count = 0
                    while clock.now < end {
                        try await operation()
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / ((clock.now - start) / .seconds(1))
    }

    /// How often work is done in a second of processor time, by one thread that does nothing else.
    static func cpuRate(seconds: Int, _ work: @escaping @Sendable () -> Void) async -> Double {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let (start, end) = (ThreadTime.seconds, ThreadTime.seconds + Double(seconds))
                var (count, now) = (0, start)
                while now < end {
                    for _ in 0..<100 { work() }
                    count += 100
                    now = ThreadTime.seconds
                }
                continuation.resume(returning: Double(count) / (now - start))
            }
        }
    }
}
