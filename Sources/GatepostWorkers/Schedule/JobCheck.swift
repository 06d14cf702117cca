package import GatepostModel
package import GatepostStore
import Postgres

/// Finds what would go wrong with the files of a folder before they run.
///
/// Each file is read, and its statement explained with the rights and the planner's settings that it will run with:
/// first against the schema, where a missing grant or a wrong column shows, then against tables of a size at which the
/// planner shows its hand (`SeededTables`), where a read of a whole table does. How full the database is plays no part.
package struct JobCheck: Sendable {
    /// Something that is wrong with a job.
    package struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The file, and the line if it is about one: `end-stale-sessions.sql:12`.
        package let place: String
        package let text: String

        package var description: String { "\(place): \(text)" }
    }

    /// Tables that have a handful of rows for each app; every other one grows with use.
    private static let smallTables: Set<String> = ["apps", "clients", "client_redirect_uris", "signing_keys"]

    /// Words that read the server's clock: a statement takes the time from the runner, or no test could move it.
    private static let clockWords: Set<String> = [
        "clock_timestamp", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now",
        "statement_timestamp", "timeofday", "transaction_timestamp",
    ]

    /// How long filling the copies and explaining all statements may take.
    private static let seedDeadline: Duration = .minutes(2)

    private let database: Database
    private let clock: any WallClock

    /// Makes a check against one database.
    package init(database: Database, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Checks files as `JobCatalog.files` has read them.
    package func findings(in files: [Result<JobFile, JobFileError>]) async throws -> [Finding] {
        var findings: [Finding] = []
        var sound: [JobFile] = []
        for file in files {
            switch file {
            case .success(let job):
                let (texts, isUnderstood) = try await check(job)
                findings += texts.map { Finding(place: "\(job.name).sql", text: $0) }
                if isUnderstood { sound.append(job) }
            case .failure(let error):
                findings.append(Finding(place: "\(error.file):\(error.line)", text: "\(error.reason)"))
            }
        }
        return findings + (try await wholeReads(of: sound))
    }

    /// What the statements read whole where there is much to read.
    private func wholeReads(of jobs: [JobFile]) async throws -> [Finding] {
        guard !jobs.isEmpty else { return [] }
        let now = clock.now
        let words = jobs.reduce(into: Set<String>()) { $0.formUnion($1.statement.words) }
        do {
            try await JobTransaction.run(in: database, deadline: Self.seedDeadline) { transaction in
                try await transaction.seed(words, small: Self.smallTables, at: now)
                var findings: [Finding] = []
                for job in jobs {
                    let plan = JobPlan(json: try await transaction.explainSeeded(job, at: now))
                    let texts = plan?.wholeReads(exceptOf: Self.smallTables) ?? ["its plan cannot be read"]
                    findings += texts.map { Finding(place: "\(job.name).sql", text: $0) }
                }
                // A commit would leave the copies on the connection, in front of the real tables.
                throw RolledBack(findings: findings)
            }
        } catch let end as RolledBack {
            return end.findings
        }
        return []
    }

    /// Carries the findings out of a transaction that throwing rolls back.
    private struct RolledBack: Error {
        let findings: [Finding]
    }

    /// What is wrong with a job as it stands, and whether the server understands it.
    private func check(_ job: JobFile) async throws -> (texts: [String], isUnderstood: Bool) {
        let now = clock.now
        var texts = Self.clockWords.intersection(job.statement.words).sorted().map { word in
            "reads the server's clock (\(word)); the time is :'now'"
        }
        do {
            let (json, partitions) = try await JobTransaction.run(in: database, deadline: job.timeout) { transaction in
                (try await transaction.explain(job, at: now), try await transaction.partitions())
            }
            texts += try findings(in: json, of: job, partitions: partitions)
        } catch let error as PostgresError where error.sqlState != nil {
            // The server's own words, where they are known to hold no value.
            texts.append("the server refuses it: \(error.hint ?? "SQLSTATE \(error.sqlState ?? "")")")
            return (texts, false)
        }
        return (texts, true)
    }

    private func findings(in json: String, of job: JobFile, partitions: Set<String>) throws -> [String] {
        guard let plan = JobPlan(json: json) else { return ["its plan cannot be read"] }
        var texts: [String] = []
        let partitioned = plan.scannedTables.intersection(partitions).sorted()
        if job.statement.words.contains("ctid"), let table = partitioned.first {
            texts.append("uses ctid and reads \(table): a ctid recurs in each partition, so use the primary key")
        }
        if !plan.returnsApps {
            texts.append("does not return app_id for each row")
        }
        return texts
    }
}
