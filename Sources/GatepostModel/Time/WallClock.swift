import FoundationEssentials

/// What time it is, for everything that expires.
///
/// Time is an input: a flow takes the moment once and passes it to every statement, so that a test moves an
/// hour by assignment and no two statements of a transaction disagree.
package protocol WallClock: Sendable {
    /// The current time of the database, which is the time that all nodes share.
    var now: Instant { get }
}

/// The host's own clock, for the lines of the log alone: some are written before there is a database to ask.
package struct HostClock: WallClock {
    /// Holds no state.
    package init() {}

    package var now: Instant { Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}
