import ArgumentParser
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers

/// `gatepost jobs`: the files that say what runs when; see docs/operating.md.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List, check and run the jobs.",
        discussion: """
            A job is a file with a schedule and one SQL statement. GATEPOST_JOBS names a folder to take them from
            instead of the ones that come with the program.
            """,
        subcommands: [List.self, Check.self, Run.self])

    /// The command `gatepost jobs list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the jobs, their last run and the next.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let jobs = try JobCatalog(folder: wiring.configuration.jobsFolder).jobs
                let runs = try await wiring.database.system { $0.lastJobRuns(of: jobs.map(\.name)) }
                let rows = jobs.map { Row($0, lastRun: runs[$0.name], now: wiring.clock.now) }
                try Terminal.sayList(
                    rows, asJSON: output.json, headings: ["JOB", "SCHEDULE", "LAST RUN", "ROWS", "NEXT RUN", "ERROR"]
                ) { row in
                    [
                        row.job, row.schedule, row.lastRunAt?.description ?? "-", row.rows.map { "\($0)" } ?? "-",
                        row.nextRunAt?.description ?? "-", row.error ?? "-",
                    ]
                }
                if !output.json { try await Self.watchPartitions(wiring) }
            }
        }

        /// Says what should not be: see docs/operating.md, Partitions.
        private static func watchPartitions(_ wiring: Wiring) async throws {
            let counts = try await wiring.database.defaultPartitionRowCounts()
            for (name, count) in counts.sorted(by: { $0.key < $1.key }) where count > 0 {
                Terminal.say("\(name) holds \(count) rows: the next partition.upkeep has to move them")
            }
        }

        private struct Row: Encodable {
            let job: String
            let schedule: String
            let summary: String
            let lastRunAt: Instant?
            let finishedAt: Instant?
            let rows: Int?
            let batches: Int?
            let error: String?
            let nextRunAt: Instant?

            init(_ job: JobFile, lastRun: JobRun?, now: Instant) {
                (self.job, schedule, summary) = (job.name, job.schedule.text, job.summary)
                (lastRunAt, finishedAt) = (lastRun?.startedAt, lastRun?.finishedAt)
                (rows, batches, error) = (lastRun?.rowCount, lastRun?.batchCount, lastRun?.error)
                nextRunAt = job.schedule.next(after: now)
            }
        }
    }

    /// The command `gatepost jobs check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read every file and explain its statement against the schema; exit 1 if one is wrong.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let files = try JobCatalog.files(in: wiring.configuration.jobsFolder)
                let check = JobCheck(database: wiring.database, clock: wiring.clock)
                let findings = try await check.findings(in: files)
                if output.json {
                    try Terminal.sayJSON(findings.map { Row(place: $0.place, text: $0.text) })
                } else {
                    for finding in findings { Terminal.say(finding.description) }
                    Terminal.say(findings.isEmpty ? "\(files.count) jobs, nothing wrong" : "\(findings.count) found")
                }
                if !findings.isEmpty { throw ExitCode.failure }
            }
        }

        private struct Row: Encodable {
            let place: String
            let text: String
        }
    }

    /// The command `gatepost jobs run NAME`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a job now, outside of its schedule.",
            discussion: """
                Safe beside the workers: each run steps over the rows that another has locked. With --dry-run the job
                runs in a transaction that is rolled back, for at most \(JobRunner.dryRunBatchCountMax) batches.
                """)

        @Argument(help: "The file's name without .sql.")
        var name: String
        @Flag(help: "Say what the job would do, and do nothing.")
        var dryRun = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let runner = JobRunner(
                    database: wiring.database, catalog: try JobCatalog(folder: wiring.configuration.jobsFolder),
                    clock: wiring.clock, logger: wiring.logger)
                do {
                    let now = wiring.clock.now
                    let report = dryRun ? try await runner.dryRun(name, at: now) : try await runner.run(name, at: now)
                    try say(report)
                } catch let error as JobRunnerError {
                    throw ValidationError("\(error)")
                }
            }
        }

        private func say(_ report: JobReport) throws {
            let row = Row(report, isDryRun: dryRun)
            if output.json { return try Terminal.sayJSON(row) }
            if !row.apps.isEmpty { Terminal.sayTable(["APP", "ROWS"], row.apps.map { [$0.app, "\($0.rows)"] }) }
            let rest = report.isCutShort ? ", and there is more" : ""
            Terminal.say("\(report.rowCount) rows in \(report.batchCount) batches\(rest)")
            if dryRun { Terminal.say("rolled back") }
        }

        private struct Row: Encodable {
            struct App: Encodable {
                let app: String
                let rows: Int
            }

            let job: String
            let isDryRun: Bool
            let rows: Int
            let batches: Int
            let isCutShort: Bool
            /// The app with the most rows first; rows that belong to no app are not in it.
            let apps: [App]

            init(_ report: JobReport, isDryRun: Bool) {
                (job, self.isDryRun, isCutShort) = (report.job, isDryRun, report.isCutShort)
                (rows, batches) = (report.rowCount, report.batchCount)
                apps = report.rowsByApp.map { App(app: "\($0)", rows: $1) }
                    .sorted { ($1.rows, $0.app) < ($0.rows, $1.app) }
            }
        }
    }
}
