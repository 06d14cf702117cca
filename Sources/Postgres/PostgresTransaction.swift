/// An open transaction, good until the body it was given to ends.
package struct PostgresTransaction: Sendable {
    private let session: TransactionSession

    init(_ session: TransactionSession) {
        self.session = session
    }

    /// Runs one statement.
    ///
    /// After an error of the server the transaction takes no further statement (25P02) and cannot commit.
    @discardableResult
    package func query(_ statement: SQL) async throws(PostgresError) -> PostgresResult {
        let results = try await batch([statement])
        guard let result = results.first else { throw PostgresError(.closed) }
        return result
    }

    /// Runs statements in one round trip.
    @discardableResult
    package func batch(_ statements: [SQL]) async throws(PostgresError) -> [PostgresResult] {
        try statements.checkSendable()
        return try await session.run(.batch(statements), isCancellable: true).get()
    }

    /// Runs a text of many statements from a file of ours, such as a migration.
    ///
    /// The text must not end the transaction.
    package func runScript(_ text: String) async throws(PostgresError) {
        if text.utf8.contains(0) { throw PostgresError(.unsendableParameter(number: 0)) }
        _ = try await session.run(.script(text), isCancellable: true).get()
    }
}
