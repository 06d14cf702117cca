package import GatepostModel
package import GatepostStore
import Postgres

/// Finds what would go wrong with the files of a folder before they run.
///
/// Each file is read, and its statement explained against the schema with the rights and the planner's settings that
/// it will run with: a missing grant, a wrong column or a read of a whole table shows here.
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
        for file in files {
            switch file {
            case .success(let job): findings += try await check(job)
            case .failure(let error):
                findings.append(Finding(place: "\(error.file):\(error.line)", text: "\(error.reason)"))
            }
        }
        return findings
    }

    private func check(_ job: JobFile) async throws -> [Finding] {
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
        }
        return texts.map { Finding(place: "\(job.name).sql", text: $0) }
    }

    private func findings(in json: String, of job: JobFile, partitions: Set<String>) throws -> [String] {
        guard let plan = JobPlan(json: json) else { return ["its plan cannot be read"] }
        var texts = plan.wholeReads(exceptOf: Self.smallTables)
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
