package import Postgres

/// A transaction for one app, under its row-level security; see `Database.transaction`.
package struct AppTransaction: Sendable {
    package let scope: AppScope
    private let transaction: PostgresTransaction

    init(scope: AppScope, transaction: PostgresTransaction) {
        self.scope = scope
        self.transaction = transaction
    }

    /// Runs one statement; to be called from extensions that own its table.
    package func query(_ statement: SQL) async throws -> PostgresResult {
        try await transaction.query(statement)
    }

    /// Runs the statements that a batch collects, in one round trip, within this transaction.
    package func batch<Output>(_ build: (inout AppBatch) -> BatchReading<Output>) async throws -> Output {
        var batch = AppBatch(scope: scope)
        let reading = build(&batch)
        return try reading.decode(try await transaction.batch(batch.statements))
    }

    /// The same where nothing is read.
    package func batch(_ build: (inout AppBatch) -> Void) async throws {
        var batch = AppBatch(scope: scope)
        build(&batch)
        _ = try await transaction.batch(batch.statements)
    }

    /// Runs statements in the scope of another app, in the same transaction, and comes back.
    ///
    /// An error ends the transaction, and the other scope with it.
    package func within<Output: Sendable>(
        _ other: AppScope, _ body: (AppTransaction) async throws -> Output
    ) async throws -> Output {
        _ = try await query("select set_config('gatepost.app_id', \(other.appID)::uuid::text, true)")
        let output = try await body(AppTransaction(scope: other, transaction: transaction))
        _ = try await query("select set_config('gatepost.app_id', \(scope.appID)::uuid::text, true)")
        return output
    }
}

/// A transaction across apps, for claims, settlements, jobs and migrations; see `Database.systemTransaction`.
package struct SystemTransaction: Sendable {
    private let transaction: PostgresTransaction

    init(transaction: PostgresTransaction) {
        self.transaction = transaction
    }

    /// Runs one statement.
    package func query(_ statement: SQL) async throws -> PostgresResult {
        try await transaction.query(statement)
    }

    /// Runs a migration's file: many statements, no parameters.
    package func runScript(_ text: String) async throws {
        try await transaction.runScript(text)
    }
}
