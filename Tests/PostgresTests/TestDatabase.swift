import Foundation
import GatepostDev
import Postgres
import TestSupport
import Testing

/// The Postgres that the tests of this target use, and pools on it.
enum TestDatabase {
    /// A throwaway cluster of its own, because these tests kill its backends and change its settings.
    private static let cluster = Task { try await LocalPostgres.temporary() }
    /// Each name gets connections of its own, or tests would find one another's temporary tables.
    private static let pooler = Task {
        let pooler = try LocalPooler(before: try await cluster.value, database: "postgres")
        try await pooler.start()
        return pooler
    }

    /// A libpq URL of a superuser's database; `GATEPOST_TEST_DATABASE_URL` names a running one instead.
    static func connectionString() async throws -> String {
        if LocalPooler.isAsked {
            let name = "pool_\(UInt64.random(in: 0...UInt64.max))"
            return try await pooler.value.url(database: name, user: LocalPostgres.superuser)
        }
        if let url = ProcessInfo.processInfo.environment["GATEPOST_TEST_DATABASE_URL"] { return url }
        return try await cluster.value.url(database: "postgres")
    }
}

/// Whether the pool under test prepares statements; behind a pooler it must not.
enum Mode: CaseIterable, CustomTestStringConvertible {
    case prepared
    case unprepared

    /// Those that can be tested: pgbouncer 1.18 in transaction mode knows nothing of prepared statements.
    static let allCases: [Mode] = LocalPooler.isAsked ? [.unprepared] : [.prepared, .unprepared]

    var testDescription: String { self == .prepared ? "prepared" : "unprepared" }
}

/// How long a step may take that is meant to succeed; generous, because machines are slow and nothing waits for it.
let ample: Duration = .seconds(20)

/// Gives a pool of one connection on each side, so that temporary tables last, and closes it.
func withPool(
    _ mode: Mode = .prepared, _ configure: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (PostgresPool) async throws -> Void
) async throws {
    var configuration = PostgresConfiguration(connectionString: try await TestDatabase.connectionString())
    configuration.usesPreparedStatements = mode == .prepared && !LocalPooler.isAsked
    configuration.sharedConnectionsMax = 1
    configuration.exclusiveConnectionsMax = 1
    configure(&configuration)
    let pool = PostgresPool(configuration)
    do {
        try await body(pool)
    } catch {
        await pool.shutdown()
        throw error
    }
    await pool.shutdown()
}

extension PostgresPool {
    /// Runs one statement on the shared side.
    @discardableResult
    func run(_ statement: SQL) async throws -> PostgresResult {
        try #require(try await batch([statement], deadline: ample).first)
    }

    /// The one value of a statement's one row.
    func value<Value: PostgresDecodable>(_ statement: SQL, as type: Value.Type = Value.self) async throws -> Value {
        try #require(try await run(statement).first).get(0)
    }

    /// Connects the exclusive side, so that a short deadline afterwards is that of the work alone.
    func warmExclusive() async throws {
        #expect(try await batch(["select 1"], on: .exclusive, deadline: ample).count == 1)
    }

    /// The server process that the shared side's connection belongs to.
    func backend() async throws -> Int32 { try await value("select pg_backend_pid()") }
}

/// The error that the work throws.
func failure<Value>(_ work: () async throws -> Value) async -> PostgresError? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// Asks over and over, by a round trip each time, until a statement yields true.
func until(_ pool: PostgresPool, _ condition: SQL) async throws {
    for _ in 0..<100_000 where try await pool.value(condition, as: Bool.self) { return }
    Issue.record("never became true: \(condition.text)")
}
