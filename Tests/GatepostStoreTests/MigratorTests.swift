import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Migrator")
struct MigratorTests {
    private static let names: [String] = (try? Migrator.packaged().map(\.name)) ?? []

    /// Runs `body` with a superuser's connections to a database that nobody has migrated.
    private func withBare(_ body: (TestDatabase, PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.withBare { bare in
            try await bare.withSuperuser { try await body(bare, $0) }
        }
    }

    private func applied(_ pool: PostgresPool) async throws -> [String] {
        try await pool.texts("select name from schema_migrations order by number")
    }

    @Test func `a fresh database gets every migration, in order`() async throws {
        try await withBare { _, pool in
            let names = try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)

            #expect(names == Self.names)
            #expect(names.count >= 12)
            #expect(try await applied(pool) == names)
        }
    }

    @Test func `a second run does nothing`() async throws {
        try await withBare { _, pool in
            _ = try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)

            #expect(try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole) == [])
        }
    }

    @Test func `of four migrators that race each migration is applied by one, and none fails`() async throws {
        try await withBare { _, pool in
            let applied = try await race(4) {
                try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)
            }

            #expect(applied.flatMap(\.self).sorted() == Self.names)
        }
    }

    @Test func `a file that was changed after it was applied is refused by name`() async throws {
        try await withBare { _, pool in
            _ = try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)
            try await pool.run("update schema_migrations set checksum = 'of another text' where number = 3")

            let failure = await #expect(throws: Migrator.Failure.self) {
                try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)
            }
            let words = try #require(failure).description
            #expect(words == "migration 0003_users was changed after it was applied; mend it by a new number")
        }
    }

    @Test func `a migration that fails half-way leaves nothing, and the next run goes on with it`() async throws {
        try await withBare { _, pool in
            // The last table of 0005_sessions is in the way.
            try await pool.run("create table authorization_codes ()")

            let failure = await #expect(throws: Migrator.Failure.self) {
                try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)
            }
            guard case .failed(let name, let error) = failure else {
                Issue.record("another failure")
                return
            }
            #expect(name == "0005_sessions")
            #expect(error.sqlState == "42P07")
            #expect(try await applied(pool) == Array(Self.names.prefix(4)))
            #expect(try await pool.texts("select tablename::text from pg_tables where tablename = 'sessions'") == [])

            try await pool.run("drop table authorization_codes")
            let rest = try await Migrator(pool: pool).migrate(loginRole: TestDatabase.loginRole)
            #expect(rest == Array(Self.names.dropFirst(4)))
        }
    }

    @Test func `the login role becomes a member of Gatepost's roles and may nothing itself`() async throws {
        try await withBare { bare, pool in
            try await bare.withRole("noinherit") { role, login in
                _ = try await Migrator(pool: pool).migrate(loginRole: role)

                let memberships = try await pool.texts(
                    """
                    select roleid::regrole::text from pg_auth_members where member = \(role)::regrole order by 1
                    """)
                #expect(memberships == ["gatepost_app", "gatepost_owner", "gatepost_worker"])
                try await Database(pool: login).checkLogin()
                #expect(try await sqlState { try await login.run("select from users") } == "42501")
            }
        }
    }

    @Test func `a login role with an odd name is quoted`() async throws {
        try await withBare { bare, pool in
            try await bare.withRole("noinherit") { role, _ in
                try await pool.run(.trusted("alter role \(role) rename to \"\(role); drop table apps\""))
                _ = try await Migrator(pool: pool).migrate(loginRole: "\(role); drop table apps")
                try await pool.run(.trusted("alter role \"\(role); drop table apps\" rename to \(role)"))

                #expect(try await applied(pool) == Self.names)
            }
        }
    }
}

/// Which login roles the program refuses to start with.
@Suite("Login check")
struct LoginCheckTests {
    private func refusal(of pool: PostgresPool) async throws -> Database.UnfitLogin? {
        do {
            try await Database(pool: pool).checkLogin()
            return nil
        } catch let error as Database.UnfitLogin {
            return error
        }
    }

    @Test func `the login role of the tests is fit`() async throws {
        #expect(try await refusal(of: TestDatabase.current.pool) == nil)
    }

    @Test func `a superuser is refused`() async throws {
        try await TestDatabase.current.withSuperuser { pool in
            let refusal = try await refusal(of: pool)
            #expect(refusal == .readsTables)
        }
    }

    @Test(arguments: ["gatepost_app", "gatepost_worker", "gatepost_owner"])
    func `a role that inherits one of Gatepost's roles is refused`(_ inherited: String) async throws {
        try await TestDatabase.withOwn { own in
            try await own.withRole("inherit") { role, pool in
                try await own.withSuperuser { try await $0.run(.trusted("grant \(inherited) to \(role)")) }

                #expect(try await refusal(of: pool) == .readsTables)
            }
        }
    }

    @Test func `a role past row-level security is refused`() async throws {
        try await TestDatabase.withOwn { own in
            try await own.withRole("noinherit bypassrls") { _, pool in
                let refusal = try await refusal(of: pool)
                #expect(refusal == .readsTables)
            }
        }
    }

    @Test func `a database that nobody has migrated is refused`() async throws {
        try await TestDatabase.withBare { bare in
            let refusal = try await refusal(of: bare.pool)
            #expect(refusal == .notMigrated)
        }
    }

    @Test func `a schema older than the program is refused`() async throws {
        try await TestDatabase.withOwn { own in
            try await own.withSuperuser { pool in
                try await pool.run(
                    "delete from schema_migrations where number = (select max(number) from schema_migrations)")
            }

            #expect(try await refusal(of: own.pool) == .notMigrated)
        }
    }
}
