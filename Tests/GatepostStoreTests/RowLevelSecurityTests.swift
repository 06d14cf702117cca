import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Two apps, one row of each table planted in both, and what a statement within the one reaches of the other.
@Suite("Row-level security", .ownDatabase)
struct RowLevelSecurityTests {
    private struct Apps {
        let database: TestDatabase
        let mine: AppID
        let theirs: AppID

        /// Runs a statement under an app's scope, as `Database` does; nil leaves the app out.
        @discardableResult
        func run(_ statement: SQL, in app: AppID?) async throws -> PostgresResult {
            let begin: SQL =
                if let app {
                    """
                    select set_config('role', 'gatepost_app', true),
                           set_config('gatepost.app_id', \(app)::uuid::text, true)
                    """
                } else {
                    "select set_config('role', 'gatepost_app', true)"
                }
            return try #require(
                try await database.pool.batch([begin, statement], deadline: .seconds(20)).last)
        }

        /// How many rows of a table a scope sees.
        func count(_ table: String, in app: AppID?) async throws -> Int {
            try await run(.trusted("select from \(table)"), in: app).count
        }
    }

    /// Every table that has rows of apps, and what is reached through them.
    private static func tables() -> [String] { PlantedRows(of: .gatepost).inserts.map(\.table) }

    /// The column that holds the app.
    private static func appColumn(of table: String) -> String { table == "apps" ? "id" : "app_id" }

    private func plant() async throws -> Apps {
        let random = SeededRandom()
        let apps = Apps(
            database: try await TestDatabase.current, mine: .make(at: TestClock.start, random: random),
            theirs: .make(at: TestClock.start, random: random))
        for app in [apps.mine, apps.theirs] {
            // By the app's own role: that it may write them shows that it is the policy which refuses later.
            for (_, statement) in PlantedRows(of: app).inserts { try await apps.run(statement, in: app) }
        }
        return apps
    }

    /// Every row of the other app, as the superuser sees it.
    private func theirRows(_ apps: Apps) async throws -> [String] {
        try await apps.database.withSuperuser { pool in
            var rows: [String] = []
            for table in Self.tables() {
                rows += try await pool.texts(
                    .trusted(
                        "select t::text from \(table) as t where \(Self.appColumn(of: table)) = $1",
                        parameters: apps.theirs))
            }
            return rows
        }
    }

    @Test func `the planted rows cover every table that has an app`() async throws {
        let tables = try await TestDatabase.current.withSuperuser { pool in
            try await pool.texts(
                """
                select distinct c.relname::text
                  from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attname = 'app_id'
                 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                """)
        }

        #expect(Set(tables).union(["apps"]) == Set(Self.tables()))
    }

    @Test func `a statement without a role is refused on every table`() async throws {
        let pool = try await TestDatabase.current.pool

        let tables = Self.tables() + ["job_runs", "schema_migrations", "deliveries_default"]
        let statements = tables.flatMap { ["select from \($0)", "delete from \($0)"] } + ["select from ledger"]
        for statement in statements {
            let state = try await sqlState { try await pool.batch([.trusted(statement)], deadline: .seconds(20)) }
            #expect(state == "42501", "\(statement)")
        }
    }

    @Test func `the app's role without an app sees nothing`() async throws {
        let apps = try await plant()

        for table in Self.tables() + ["ledger"] {
            #expect(try await apps.count(table, in: nil) == 0, "\(table)")
        }
    }

    @Test func `a statement that forgot its where sees its own app only`() async throws {
        let apps = try await plant()

        for table in Self.tables() {
            #expect(try await apps.count(table, in: apps.mine) == 1, "\(table)")
        }
        // One owed and one delivered.
        let seen = try await apps.run("select app_id from ledger", in: apps.mine).map { row throws(PostgresError) in
            try row.get("app_id", as: AppID.self)
        }
        #expect(seen == [apps.mine, apps.mine])
    }

    @Test func `a statement that asks for another app's rows by name sees none`() async throws {
        let apps = try await plant()

        for table in Self.tables() + ["ledger"] {
            let statement = SQL.trusted(
                "select from \(table) where \(Self.appColumn(of: table)) = $1", parameters: apps.theirs)
            #expect(try await apps.run(statement, in: apps.mine).isEmpty, "\(table)")
        }
    }

    @Test func `another app's rows can be neither changed nor removed`() async throws {
        let apps = try await plant()
        let before = try await theirRows(apps)
        #expect(before.count == Self.tables().count)

        for table in Self.tables() {
            let column = Self.appColumn(of: table)
            for statement in ["update \(table) set \(column) = \(column)", "delete from \(table)"] {
                let named = SQL.trusted("\(statement) where \(column) = $1", parameters: apps.theirs)
                var touched = 0
                let state = try await sqlState { touched = try await apps.run(named, in: apps.mine).affectedCount }
                #expect(touched == 0 && (state == nil || state == "42501"), "\(statement): \(state ?? "done")")
            }
        }

        #expect(try await theirRows(apps) == before)
    }

    @Test func `a row can be neither written into another app nor moved there`() async throws {
        let apps = try await plant()
        let before = try await theirRows(apps)
        let strangers = PlantedRows(of: apps.theirs)

        for (table, statement) in strangers.inserts {
            #expect(try await sqlState { try await apps.run(statement, in: apps.mine) } == "42501", "\(table)")
            let moving = SQL.trusted(
                "update \(table) set \(Self.appColumn(of: table)) = $1", parameters: apps.theirs)
            #expect(try await sqlState { try await apps.run(moving, in: apps.mine) } == "42501", "\(table)")
        }

        #expect(try await theirRows(apps) == before)
    }

    @Test func `after a scoped transaction the same connection has no scope left`() async throws {
        let apps = try await plant()
        let pids: SQL = "select pg_backend_pid() as pid from users right join (select) as always on true"
        var scoped: Set<Int32> = []
        var unscoped: Set<Int32> = []

        for _ in 0..<10 {
            let mine = try #require(try await apps.run(pids, in: apps.mine).first)
            scoped.insert(try mine.get("pid"))
            // Story: after a scoped transaction the setting is an empty string, which is no uuid: without nullif in
            // the policy this statement raised instead of returning nothing.
            let rows = try await apps.run(
                "select pg_backend_pid() as pid, (select count(*) from users) as count", in: nil)
            let row = try #require(rows.first)
            unscoped.insert(try row.get("pid"))
            #expect(try row.get("count", as: Int64.self) == 0)
            let state = try await sqlState {
                try await apps.database.pool.batch(["select from users"], deadline: .seconds(20))
            }
            #expect(state == "42501")
        }

        #expect(!scoped.isDisjoint(with: unscoped))
    }

    @Test func `a transaction of the store leaves no scope on its connection either`() async throws {
        let app = try await TestApp.make()
        for _ in 0..<10 {
            try await app.database.transaction(in: app.scope) { _ = try await $0.query("select from users") }
            let state = try await sqlState {
                try await TestDatabase.current.pool.transaction(deadline: .seconds(20)) { transaction in
                    _ = try await transaction.query("select from users")
                }
            }
            #expect(state == "42501")
        }
    }
}
