package import GatepostModel
import Synchronization

/// Time that moves only when told.
package final class TestClock: WallClock, Sendable {
    /// Where tests begin unless they say otherwise: 2026-03-02, a Monday, at nine.
    package static let start = Instant(seconds: 1_772_442_000)

    private let time: Mutex<Instant>

    /// Starts at a moment.
    package init(at start: Instant = TestClock.start) {
        time = Mutex(start)
    }

    package var now: Instant { time.withLock { $0 } }

    /// Sets the time, also backwards.
    package func set(_ instant: Instant) {
        time.withLock { $0 = instant }
    }

    /// Moves on.
    package func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }
}
