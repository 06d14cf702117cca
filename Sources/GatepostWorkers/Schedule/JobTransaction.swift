import GatepostModel
import GatepostStore
import Postgres

/// A transaction in which a job's statement is executed or explained: both get the same rights and the same plans.
struct JobTransaction {
    /// What is set beside the settings of every worker's transaction.
    ///
    /// A plan is made for the values at hand and not kept from when a table was small; and candidates come from their
    /// index in its order, so that `limit` ends the read. A bitmap would collect and sort everything that a stopped
    /// worker left behind, for every batch.
    private static let planner: SQL = """
        select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_bitmapscan', 'off', true)
        """

    private let transaction: SystemTransaction

    /// Begins a transaction as the worker's role; see `Database.systemTransaction`.
    static func run<Output: Sendable>(
        in database: Database, deadline: Duration, _ body: (JobTransaction) async throws -> Output
    ) async throws -> Output {
        try await database.systemTransaction(as: .worker, deadline: deadline) { transaction in
            _ = try await transaction.query(planner)
            return try await body(JobTransaction(transaction: transaction))
        }
    }

    /// Executes the statement once; returns the app of each row.
    func execute(_ job: JobFile, at now: Instant) async throws -> [AppID?] {
        try await transaction.query(job.sql(at: now)).map { row throws(PostgresError) in
            try row.get(0, as: AppID?.self)
        }
    }

    /// Explains the statement; returns the plan as JSON.
    func explain(_ job: JobFile, at now: Instant) async throws -> String {
        let result = try await transaction.query("explain (format json, verbose) \(job.sql(at: now))")
        return try result.first?.get(0, as: String.self) ?? ""
    }

    /// Explains the statement once filled copies stand in front of the real tables.
    ///
    /// In other words than `explain`, because a statement that was prepared before would go on reading the real ones.
    func explainSeeded(_ job: JobFile, at now: Instant) async throws -> String {
        let result = try await transaction.query("explain (verbose, format json) \(job.sql(at: now))")
        return try result.first?.get(0, as: String.self) ?? ""
    }

    /// Puts filled copies of tables in front of the real ones, for the rest of the transaction; see `SeededTables`.
    func seed(_ tables: Set<String>, small: Set<String>, at now: Instant) async throws {
        try await SeededTables(in: transaction, at: now).make(tables, small: small)
    }

    /// The tables that are cut into partitions, and the partitions.
    func partitions() async throws -> Set<String> {
        let result = try await transaction.query(
            "select relname from pg_class where relispartition or relkind = 'p'")
        return Set(try result.map { row throws(PostgresError) in try row.get("relname", as: String.self) })
    }
}
