import Glibc

/// A moment of the host's monotonic clock by which something has to be over.
///
/// Not a `Clock` instant because `poll` wants milliseconds that remain, and because nothing here may read wall time.
struct Deadline: Sendable, Comparable {
    private let nanoseconds: UInt64

    /// The moment a duration from now; a negative one is now, one beyond centuries is never.
    init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let whole = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let amount = whole.overflow ? UInt64.max : whole.partialValue
        let fraction = UInt64(clamping: attoseconds / 1_000_000_000)
        let (sum, overflow) = Self.monotonicNanoseconds.addingReportingOverflow(amount)
        let (total, overflowToo) = sum.addingReportingOverflow(fraction)
        nanoseconds = overflow || overflowToo ? .max : total
    }

    /// What `poll` may wait: rounded up so that it does not wake too early, 0 once the moment has passed.
    var remainingMilliseconds: Int32 {
        let now = Self.monotonicNanoseconds
        guard nanoseconds > now else { return 0 }
        return Int32(clamping: (nanoseconds - now - 1) / 1_000_000 + 1)
    }

    var hasPassed: Bool { remainingMilliseconds == 0 }

    /// How long ago the moment was; zero if it lies ahead.
    var elapsed: Duration {
        let now = Self.monotonicNanoseconds
        return .nanoseconds(now > nanoseconds ? Int64(clamping: now - nanoseconds) : 0)
    }

    static func < (one: Deadline, other: Deadline) -> Bool { one.nanoseconds < other.nanoseconds }

    private static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_nsec)
    }
}
