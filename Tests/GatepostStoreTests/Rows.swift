import Postgres
import TestSupport
import Testing

extension PostgresPool {
    /// Runs one statement and returns its rows.
    @discardableResult
    func run(_ statement: SQL) async throws -> PostgresResult {
        let results = try await batch([statement], on: .exclusive, deadline: .seconds(20))
        return try #require(results.last)
    }

    /// The first column of a statement's rows, which is text.
    func texts(_ statement: SQL) async throws -> [String] {
        try await run(statement).map { row throws(PostgresError) in try row.get(0, as: String.self) }
    }
}

/// Runs statements that are to be refused, and returns the SQLSTATE; nil if they are not.
func sqlState(of body: () async throws -> Void) async throws -> String? {
    do {
        try await body()
        return nil
    } catch let error as PostgresError {
        return error.sqlState ?? "\(error.kind)"
    }
}
