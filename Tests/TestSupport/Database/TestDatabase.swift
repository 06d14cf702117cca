package import GatepostStore
package import Postgres
package import Testing

/// A migrated database for a test: the one that most tests share, or one of its own.
///
/// Most tests share it and are kept apart by their apps, which exercises app scoping all day. What looks across
/// apps, such as a worker or a job, needs one of its own, a clone of the template: `.ownDatabase`.
package struct TestDatabase: Sendable {
    /// The database's name in the cluster.
    package let name: String
    /// Connections of Gatepost's login role.
    package let pool: PostgresPool
    /// The same as Gatepost uses them.
    package let database: Database

    @TaskLocal private static var own: TestDatabase?

    private static let shared = Task { try await make() }

    /// The test's own database where it asked for one, else the one that tests share.
    package static var current: TestDatabase {
        get async throws {
            if let own { return own }
            return try await shared.value
        }
    }

    /// Runs `body` with a database of its own, which is dropped afterwards.
    package static func withOwn<Output>(_ body: (TestDatabase) async throws -> Output) async throws -> Output {
        let made = try await make()
        do {
            let output = try await $own.withValue(made) { try await body(made) }
            try await made.remove()
            return output
        } catch {
            try? await made.remove()
            throw error
        }
    }

    /// Connections of the superuser, past every policy: for looking at what a test has caused.
    package func superuserPool() async throws -> PostgresPool {
        try await TestCluster.shared.pool(of: name, as: nil)
    }

    /// The same database for tests that take it down: a call gives up after two seconds instead of ten.
    package var impatientDatabase: Database { Database(pool: pool, deadline: .seconds(2)) }

    /// Runs `body` while the database takes no connection and has none, as if Postgres were down.
    package func whileDown(_ body: () async throws -> Void) async throws {
        try await TestCluster.shared.administer("alter database \(name) with allow_connections false")
        try await TestCluster.shared.administer(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '\(name)'")
        do {
            try await body()
        } catch {
            try await TestCluster.shared.administer("alter database \(name) with allow_connections true")
            throw error
        }
        try await TestCluster.shared.administer("alter database \(name) with allow_connections true")
        if LocalPooler.isAsked { try await waitForPooler() }
    }

    /// Waits until a pooler that could not connect tries again: for a moment it refuses everybody with its last error.
    private func waitForPooler() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(30)
        while true {
            do {
                _ = try await pool.batch(["select 1"], deadline: .seconds(5))
                return
            } catch  where clock.now < deadline {
                await Task.yield()
            }
        }
    }

    /// Waits until every transaction that had begun by now has ended, in whatever database of the cluster.
    ///
    /// An export ends only once its older writers have, and for Postgres that is the whole cluster: the other tests'
    /// transactions, and the making of their databases, which a busy disk draws out.
    package func waitForOlderTransactions() async throws {
        let horizon = try await pool.batch(["select pg_current_xact_id()::text"], deadline: .seconds(20))[0]
            .map { row throws(PostgresError) in try row.get(0, as: String.self) }
        let mark = horizon.first ?? "0"
        while true {
            let ended = try await pool.batch(
                ["select pg_snapshot_xmin(pg_current_snapshot()) > \(mark)::text::xid8 from pg_sleep(0.01)"],
                deadline: .seconds(20))[0]
                .map { row throws(PostgresError) in try row.get(0, as: Bool.self) }
            if ended == [true] { return }
        }
    }

    private static func make() async throws -> TestDatabase {
        let name = try await TestCluster.shared.makeDatabase()
        let pool = try await TestCluster.shared.pool(of: name)
        return TestDatabase(name: name, pool: pool, database: Database(pool: pool))
    }

    private func remove() async throws {
        await pool.shutdown()
        try await TestCluster.shared.drop(name)
    }
}

/// Gives each test a database of its own; clone and drop take about 0.15 s, so only to what is global by nature.
package struct OwnDatabaseTrait: SuiteTrait, TestTrait, TestScoping {
    package let isRecursive = true

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await TestDatabase.withOwn { _ in try await function() }
    }
}

extension Trait where Self == OwnDatabaseTrait {
    /// The test gets a database of its own, see `OwnDatabaseTrait`.
    package static var ownDatabase: Self { OwnDatabaseTrait() }
}
