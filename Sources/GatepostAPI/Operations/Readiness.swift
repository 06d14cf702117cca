import GatepostModel
package import GatepostStore

/// Whether this process can do its work now, for whatever sends it some.
///
/// The database answers, its schema is the one that this version needs, its time is known, and nobody has asked the
/// process to stop. However many ask, the database is asked at most once a second.
package actor Readiness {
    /// How long an answer is good for.
    static let memory: Duration = .seconds(1)
    /// How long the database has to answer: a balancer that asks does not wait longer either.
    package static let deadline: Duration = .seconds(2)
    /// How old the last look at the database's time may be: a slow answer is not taken for ten minutes.
    static let clockAgeMax: Duration = DatabaseClock.sampleAgeMax + .minutes(1)

    /// Why the process is not ready.
    package enum Reason: String, Sendable {
        case stopping = "The process is shutting down."
        case database = "The database does not answer."
        case schema = "The schema is older than this program: run gatepost migrate."
        case clock = "The database's time has not been read for too long."
    }

    private let database: Database
    private let clock: DatabaseClock?
    private let migrations: [Migrator.Migration]
    private let monotonic = ContinuousClock()
    private var isStopping = false
    private var last: (at: ContinuousClock.Instant, reason: Task<Reason?, Never>)?

    /// Wires it.
    ///
    /// - Parameters:
    ///   - database: What must answer; with a short deadline.
    ///   - clock: What tells the time; nil where a test sets it.
    /// - Throws: What keeps the packaged migrations from being read.
    package init(database: Database, clock: DatabaseClock? = nil) throws {
        (self.database, self.clock) = (database, clock)
        migrations = try Migrator.packaged()
    }

    /// From now on the process is not ready: it finishes what it has.
    package func stop() {
        isStopping = true
    }

    /// Why the process is not ready; nil if it is.
    package func reason() async -> Reason? {
        if isStopping { return .stopping }
        if let last, monotonic.now - last.at < Self.memory { return await last.reason.value }
        // Whoever comes while the database is asked waits for the same answer.
        let reason = Task { await look() }
        last = (monotonic.now, reason)
        return await reason.value
    }

    private func look() async -> Reason? {
        guard let isMigrated = try? await database.hasApplied(migrations) else { return .database }
        guard isMigrated else { return .schema }
        if let clock, clock.sampleAge > Self.clockAgeMax { return .clock }
        return nil
    }
}
