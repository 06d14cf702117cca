package import GatepostModel
import GatepostOutbox
package import GatepostStore
package import GatepostTelemetry

/// Reads what only the database knows: how old the oldest owed message is, which jobs lag, how old keys are.
///
/// Both `serve` and `work` show it: where every worker is dead, somebody must still see the queue grow old. However
/// often it is asked for, the database is asked at most once in five seconds.
package actor InstallationReader {
    /// How long an answer is good for.
    package static let pause: Duration = .seconds(5)

    private let database: Database
    private let catalog: JobCatalog
    private let clock: any WallClock
    private let monotonic = ContinuousClock()
    /// From when on a job counts that never ran: who has just begun cannot know of earlier times.
    private let startedAt: Instant
    private let pause: Duration
    private var last: (at: ContinuousClock.Instant, readings: Task<[MetricReading], Never>)?

    /// Wires a reader.
    ///
    /// - Parameters:
    ///   - database: What is read; with a short deadline, because whoever scrapes has one, too.
    ///   - catalog: The jobs.
    ///   - clock: The database's time.
    ///   - pause: How long an answer is good for.
    package init(
        database: Database, catalog: JobCatalog, clock: any WallClock, pause: Duration = InstallationReader.pause
    ) {
        (self.database, self.catalog, self.clock, self.pause) = (database, catalog, clock, pause)
        startedAt = clock.now
    }

    /// The numbers as they are, or were a moment ago; `gatepost_database_up` alone where the database does not answer.
    package func readings() async -> [MetricReading] {
        if let last, monotonic.now - last.at < pause { return await last.readings.value }
        // Whoever comes while it is read waits for the same answer.
        let readings = Task { await read() }
        last = (monotonic.now, readings)
        return await readings.value
    }

    private func read() async -> [MetricReading] {
        do {
            let jobs = catalog.jobs.map(\.name)
            let (owed, (key, runs)) = try await database.system { batch in
                let owed = batch.oldestOwed()
                let key = batch.oldestActiveSigningKey()
                return owed.and(key.and(batch.lastGoodJobRuns(of: jobs)))
            }
            // A default partition keeps everybody waiting while a day is moved out of it; the rest is known.
            let rows = (try? await database.defaultPartitionRowCounts()) ?? [:]
            let now = clock.now
            return [MetricReading(.databaseUp, is: 1)]
                + Lane.allCases.map { lane in
                    MetricReading(
                        .oldestAge, lane.rawValue, is: owed[lane].map { Self.seconds(from: $0, to: now) } ?? 0)
                }
                + (key.map { [MetricReading(.keyAge, is: Self.seconds(from: $0, to: now))] } ?? [])
                + catalog.jobs.map { job in
                    MetricReading(.jobLag, job.name, is: lag(of: job, since: runs[job.name] ?? startedAt, at: now))
                }
                + rows.sorted { $0.key < $1.key }.map { partition, count in
                    MetricReading(.defaultPartitionRows, partition, is: Double(count))
                }
        } catch {
            return [MetricReading(.databaseUp, is: 0)]
        }
    }

    /// How long ago the first due time was that had no good run.
    private func lag(of job: JobFile, since run: Instant, at now: Instant) -> Double {
        guard let due = job.schedule.next(after: run) else { return 0 }
        return Self.seconds(from: due, to: now)
    }

    /// Never below zero: another host's clock may be a moment ahead.
    private static func seconds(from earlier: Instant, to later: Instant) -> Double {
        max(0, Double((later - earlier).microseconds) / 1_000_000)
    }
}
