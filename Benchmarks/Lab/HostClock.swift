import Foundation
import GatepostModel

/// The time of this machine, which is that of the Postgres beside it.
struct HostClock: WallClock {
    var now: Instant { Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}
