@testable import GatepostWorkers
import GatepostModel
import GatepostStore
import Postgres
import TestSupport

/// The plan that a job gets against seeded tables, looked at in a transaction that is rolled back.
struct SeededPlan: Error {
    let json: String
    /// The most rows that a step of the plan expects.
    let mostRows: Int
    let wholeReads: [String]

    static func of(_ job: JobFile, in database: Database) async throws -> SeededPlan {
        let small: Set<String> = ["apps", "clients", "client_redirect_uris", "signing_keys"]
        do {
            try await JobTransaction.run(in: database, deadline: .seconds(60)) { transaction in
                try await transaction.seed(job.statement.words, small: small, at: TestClock.start)
                let json = try await transaction.explainSeeded(job, at: TestClock.start)
                let rows = json.matches(of: /"Plan Rows": ([0-9]+)/).compactMap { Int($0.1) }.max() ?? 0
                throw SeededPlan(
                    json: json, mostRows: rows,
                    wholeReads: JobPlan(json: json)?.wholeReads(exceptOf: small) ?? ["unreadable"])
            }
        } catch let plan as SeededPlan {
            return plan
        }
        throw NoResult()
    }
}
