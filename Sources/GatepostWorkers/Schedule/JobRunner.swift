package import GatepostModel
package import GatepostStore
package import Logging
import Postgres
import ServiceLifecycle

/// Runs jobs: batch after batch until one comes back short, and writes down what came of it.
///
/// Any number of runners may share a database; see `runDue` for how they agree.
package struct JobRunner: Sendable {
    /// How many batches one run does at most; what is left then waits for the next due time.
    package static let batchCountMax = 1000

    /// How many batches a dry run does at most: it holds the locks of all of them until the end.
    package static let dryRunBatchCountMax = 20

    /// The pause between two batches, in which others get at the tables.
    package static let batchPause: Duration = .milliseconds(100)

    /// How many apps a line of the log names at most.
    private static let loggedAppsMax = 20

    /// What came of a due time.
    package enum Outcome: Sendable {
        /// This runner ran the job.
        case finished(JobReport)
        /// This runner ran the job and met an error; batches before it stay done.
        case failed(JobReport, any Error)
        /// Another runner has claimed the run.
        case claimedElsewhere
        /// The run could not even be claimed or written down.
        case unavailable(any Error)
    }

    let catalog: JobCatalog
    let clock: any WallClock
    let pause: @Sendable (Duration) async throws -> Void
    private let database: Database
    private let logger: Logger

    /// Makes a runner.
    ///
    /// - Parameters:
    ///   - database: Where the jobs run, as the worker's role.
    ///   - catalog: The jobs.
    ///   - clock: What time it is, for the schedule and for the statements.
    ///   - logger: Gets one line a run.
    ///   - pause: Waits between batches and for the next minute.
    package init(
        database: Database, catalog: JobCatalog, clock: any WallClock, logger: Logger,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.database = database
        self.catalog = catalog
        self.clock = clock
        self.logger = logger
        self.pause = pause
    }

    /// Runs a job now, outside of its schedule, whoever else may be running it.
    ///
    /// Two runs at once do no harm: each steps over the rows that the other has locked. The run is written down
    /// like a due one.
    ///
    /// - Parameters:
    ///   - name: Which job.
    ///   - now: What the statement takes for the current time.
    /// - Returns: What the run did.
    /// - Throws: What the run met, after writing it down; `JobRunnerError` if there is no such job.
    package func run(_ name: String, at now: Instant) async throws -> JobReport {
        let job = try job(name)
        _ = try await claim(job, dueAt: now)
        let (report, error) = await execute(job, at: now)
        try await finish(report, error, dueAt: now)
        if let error { throw error }
        return report
    }

    /// Says what a run would do: executes the job in one transaction and rolls it back.
    package func dryRun(_ name: String, at now: Instant) async throws -> JobReport {
        let job = try job(name)
        do {
            return try await JobTransaction.run(in: database, deadline: job.timeout) { transaction in
                throw RolledBack(report: try await rehearse(job, in: transaction, at: now))
            }
        } catch let end as RolledBack {
            return end.report
        }
    }

    /// Runs a job for one due time, unless another runner has claimed it.
    ///
    /// The claim is the row (job, due time) in job_runs: the first to insert it runs the job, so there is no leader.
    package func run(_ job: JobFile, dueAt due: Instant) async -> Outcome {
        do {
            guard try await claim(job, dueAt: due) else { return .claimedElsewhere }
            let (report, error) = await execute(job, at: clock.now)
            try await finish(report, error, dueAt: due)
            return error.map { .failed(report, $0) } ?? .finished(report)
        } catch {
            logger.error(
                "a job's run could not be recorded", metadata: ["job.name": "\(job.name)", "error": "\(error)"])
            return .unavailable(error)
        }
    }

    private func job(_ name: String) throws -> JobFile {
        guard let job = catalog[name] else { throw JobRunnerError.unknownJob(name) }
        return job
    }

    private func rehearse(
        _ job: JobFile, in transaction: JobTransaction, at now: Instant
    ) async throws -> JobReport {
        var report = JobReport(job: job.name)
        while report.batchCount < Self.dryRunBatchCountMax {
            let apps = try await transaction.execute(job, at: now)
            report.count(apps)
            if apps.count < job.batchSize { return report }
        }
        report.isCutShort = true
        return report
    }

    private func execute(_ job: JobFile, at now: Instant) async -> (JobReport, (any Error)?) {
        var report = JobReport(job: job.name)
        do {
            while true {
                let apps = try await JobTransaction.run(in: database, deadline: job.timeout) { transaction in
                    try await transaction.execute(job, at: now)
                }
                report.count(apps)
                if apps.count < job.batchSize { break }
                report.isCutShort = report.batchCount == Self.batchCountMax || Task.isShuttingDownGracefully
                if report.isCutShort { break }
                try await pause(Self.batchPause)
            }
            return (report, nil)
        } catch {
            return (report, error)
        }
    }

    private func claim(_ job: JobFile, dueAt due: Instant) async throws -> Bool {
        let now = clock.now
        return try await database.system(durability: .synchronous) { batch in
            batch.claimJobRun(job.name, dueAt: due, at: now)
        }
    }

    private func finish(_ report: JobReport, _ error: (any Error)?, dueAt due: Instant) async throws {
        log(report, error)
        let now = clock.now
        try await database.system(durability: .synchronous) { batch in
            batch.finishJobRun(
                report.job, dueAt: due, at: now, rowCount: report.rowCount, batchCount: report.batchCount,
                error: error.map(Self.record))
        }
    }

    /// What an operator needs of an error; the statement is left out, since it stands in the job's file.
    private static func record(_ error: any Error) -> String {
        guard var error = error as? PostgresError else { return "\(error)" }
        error.statement = nil
        return "\(error)"
    }

    private func log(_ report: JobReport, _ error: (any Error)?) {
        let rows = report.rowsByApp.sorted { $0.value > $1.value }.prefix(Self.loggedAppsMax)
        var metadata: Logger.Metadata = [
            "job.name": "\(report.job)", "job.rows": "\(report.rowCount)", "job.batches": "\(report.batchCount)",
            "job.rows_by_app": .dictionary(Dictionary(uniqueKeysWithValues: rows.map { ("\($0)", "\($1)") })),
        ]
        if let error {
            metadata["error"] = "\(Self.record(error))"
            logger.error("a job failed", metadata: metadata)
        } else {
            logger.log(level: report.rowCount > 0 ? .info : .debug, "a job ran", metadata: metadata)
        }
    }

    /// Carries the report out of a transaction that throwing rolls back.
    private struct RolledBack: Error {
        let report: JobReport
    }
}

/// Why a job was not run.
package enum JobRunnerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no file of this name.
    case unknownJob(String)

    package var description: String {
        switch self {
        case .unknownJob(let name): "there is no job '\(name)'"
        }
    }
}
