import Glibc

/// Measures how long something has taken, on the clock that nobody sets.
///
/// It is not a source of time of day: nothing that expires is decided by it, only how long a socket may still take.
struct Stopwatch: Sendable {
    private let startNanoseconds = Self.monotonicNanoseconds()

    /// The time since this was made.
    var elapsed: Duration { .nanoseconds(Self.monotonicNanoseconds() - startNanoseconds) }

    /// The moment so long from now, in the nanoseconds that Dispatch and the kernel count.
    static func nanoseconds(after duration: Duration) -> UInt64 {
        UInt64(max(0, monotonicNanoseconds() + Int64(duration.millisecondsAtLeastOne) * 1_000_000))
    }

    /// The moment so long from now, as `monotonicNanoseconds` tells it.
    static func monotonicNanoseconds(after duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return monotonicNanoseconds() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// The time since the machine's start.
    static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up and at least 1, because libcurl takes 0 for "no limit".
    var millisecondsAtLeastOne: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }

    /// Whole seconds, rounded up and at least 1, because libcurl takes 0 for "no limit".
    var secondsAtLeastOne: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0))
    }
}
