package import GatepostModel
package import Postgres

/// Statements for one app, collected to travel together.
///
/// Extensions of this type and of `AppTransaction` are the only places where SQL on app-scoped tables is
/// written: neither can exist without a scope.
package struct AppBatch {
    package let scope: AppScope
    /// The trace of the request or delivery at hand, which what is owed carries on; it decides nothing.
    package let trace: TraceContext?
    private(set) var statements: [SQL] = []

    init(scope: AppScope) {
        self.scope = scope
        trace = .current
    }

    /// Adds a statement whose rows nobody reads.
    package mutating func add(_ statement: SQL) {
        statements.append(statement)
    }

    /// Adds a statement and says how its rows are read.
    package mutating func read<Output>(
        _ statement: SQL, _ decode: @escaping (PostgresResult) throws -> Output
    ) -> BatchReading<Output> {
        statements.append(statement)
        let position = statements.count - 1
        return BatchReading { try decode($0[position]) }
    }

    /// Reads nothing, in place of a statement that a caller has no use for.
    package func nothing<Output>() -> BatchReading<Output?> {
        BatchReading { _ in nil }
    }
}

/// Statements across apps, collected to travel together: claim, settle, jobs.
package struct SystemBatch {
    private(set) var statements: [SQL] = []

    /// Adds a statement whose rows nobody reads.
    package mutating func add(_ statement: SQL) {
        statements.append(statement)
    }

    /// Adds a statement and says how its rows are read.
    package mutating func read<Output>(
        _ statement: SQL, _ decode: @escaping (PostgresResult) throws -> Output
    ) -> BatchReading<Output> {
        statements.append(statement)
        let position = statements.count - 1
        return BatchReading { try decode($0[position]) }
    }
}

/// How the rows of a batch's statements become a value, once they have come.
package struct BatchReading<Output> {
    let decode: ([PostgresResult]) throws -> Output

    init(_ decode: @escaping ([PostgresResult]) throws -> Output) {
        self.decode = decode
    }

    /// Reads two statements of the same batch.
    package func and<Other>(_ other: BatchReading<Other>) -> BatchReading<(Output, Other)> {
        BatchReading<(Output, Other)> { (try decode($0), try other.decode($0)) }
    }

    /// Makes another value of what was read.
    package func map<Other>(_ transform: @escaping (Output) throws -> Other) -> BatchReading<Other> {
        BatchReading<Other> { try transform(try decode($0)) }
    }
}
