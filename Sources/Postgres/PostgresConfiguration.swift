/// How a pool connects and how much it may use.
package struct PostgresConfiguration: Sendable {
    /// What libpq connects with: a URL or `key=value` pairs.
    ///
    /// It may name several hosts, which are tried in order, and `target_session_attrs`. Each host is an attempt with a
    /// time limit of its own, so that a dead machine does not hide the next one.
    package var connectionString: String

    /// Connections for `batch` on the shared side; default 8, at most 64.
    package var sharedConnectionsMax = 8

    /// Connections for transactions and for what may wait on locks; default 4, at most 64.
    package var exclusiveConnectionsMax = 4

    /// Whether statements are prepared on first use; off behind pgbouncer 1.18 in transaction mode.
    package var usesPreparedStatements = true

    /// How many prepared statements a connection keeps before the least recently used goes; default 256.
    package var preparedStatementsMax = 256

    /// How many batches one shared connection may have under way; default 4, 1 means one after the other.
    ///
    /// They are sent together once every connection is busy, each with a Sync of its own, so that one wake-up of the
    /// thread and one of the server do for several. Each is its own transaction all the same.
    package var batchesUnderWayMax = 4

    /// How long one attempt at one host may take; default 5 seconds.
    package var connectTimeout: Duration = .seconds(5)

    /// How many jobs may wait on each side before more are refused; default 1024.
    package var queuedMax = 1024

    /// The shortest pause between two failed attempts to connect; default 50 ms.
    package var reconnectBackoffFloor: Duration = .milliseconds(50)

    /// The longest pause between two failed attempts to connect; default 2 seconds.
    package var reconnectBackoffCeiling: Duration = .seconds(2)

    /// How long the server has to end a statement that was cancelled before its connection is closed; default 1 s.
    package var cancelGrace: Duration = .seconds(1)

    /// Told how long each job waited for a connection; called by the connection's thread, so it must be quick.
    package var onWait: (@Sendable (PostgresPool.Side, Duration) -> Void)?

    /// The most connections that a side may be given.
    package static let connectionsLimit = 64

    /// Starts from the defaults.
    package init(connectionString: String) {
        self.connectionString = connectionString
    }
}

/// The connection string may hold a password, so nothing prints it.
extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "PostgresConfiguration(<redacted>, shared \(sharedConnectionsMax), exclusive \(exclusiveConnectionsMax))"
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: []) }
}
