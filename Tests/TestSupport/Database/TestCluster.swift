import Foundation
import GatepostDev
import GatepostStore
import Postgres

/// The Postgres that this test process uses: one throwaway cluster with a migrated template.
///
/// It ends with the process. `GATEPOST_TEST_DATABASE_URL` names a running one instead, as a superuser; its host must
/// be local, because the tests make roles and drop databases.
actor TestCluster {
    /// Why the tests do not run.
    enum Unusable: Error, CustomStringConvertible {
        case hostNotLocal
        case poolerBeforeForeignServer

        var description: String {
            switch self {
            case .hostNotLocal: "GATEPOST_TEST_DATABASE_URL must name a Unix socket or a loopback host"
            case .poolerBeforeForeignServer: "GATEPOST_TEST_POOLER needs a server of the tests' own"
            }
        }
    }

    /// The role that Gatepost logs in with: it may nothing itself.
    static let loginRole = "gatepost_login"
    /// The suite passes either way: `GATEPOST_TEST_PREPARED_STATEMENTS=false` runs it as behind an old pgbouncer.
    private static let usesPreparedStatements =
        ProcessInfo.processInfo.environment["GATEPOST_TEST_PREPARED_STATEMENTS"] != "false" && !LocalPooler.isAsked
    /// How long making a database may take.
    private static let bound: Duration = .seconds(60)

    static let shared = TestCluster()

    /// Where databases are, and how to become whom.
    struct Ready {
        /// A connection URL of a database, as a user; nil for the superuser.
        let url: @Sendable (_ database: String, _ user: String?) -> String
        let admin: PostgresPool
        /// Keeps the server alive.
        let server: LocalPostgres?
        /// What Gatepost's connections go through; the superuser's never do.
        let pooler: LocalPooler?

        func url(_ database: String, as role: String?) -> String {
            guard let pooler, let role else { return url(database, role) }
            return pooler.url(database: database, user: role)
        }
    }

    private var starting: Task<Ready, any Error>?
    private var databaseCount = 0
    /// Tells the databases of this process from those of another one on the same cluster.
    private let prefix = "gatepost_test_\(ProcessInfo.processInfo.processIdentifier)"

    /// Makes a database and returns its name: a migrated one, or a copy of another template.
    func makeDatabase(template: String? = nil) async throws -> String {
        let ready = try await ready()
        databaseCount += 1
        let name = "\(prefix)_\(databaseCount)"
        if let template, ready.pooler != nil {
            // A pooler keeps its connections, and a database to which somebody is connected cannot be copied.
            try await run(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(template)'", on: ready.admin)
        }
        try await run("create database \(name) template \(template ?? "\(prefix)_template")", on: ready.admin)
        return name
    }

    /// Removes a database and ends the connections to it.
    func drop(_ name: String) async throws {
        try await run("drop database if exists \(name) with (force)", on: try await ready().admin)
    }

    /// Runs a statement of an administrator's, such as one that ends all connections to a database.
    func administer(_ statement: String) async throws {
        try await run(statement, on: try await ready().admin)
    }

    /// Connections of a role, by default the login role; nil for the superuser.
    func pool(of database: String, as role: String? = TestCluster.loginRole) async throws -> PostgresPool {
        let ready = try await ready()
        var configuration = PostgresConfiguration(connectionString: ready.url(database, as: role))
        configuration.sharedConnectionsMax = 4
        configuration.exclusiveConnectionsMax = 4
        configuration.usesPreparedStatements = Self.usesPreparedStatements
        return PostgresPool(configuration)
    }

    private func ready() async throws -> Ready {
        if let starting { return try await starting.value }
        let template = "\(prefix)_template"
        let starting = Task {
            let ready = try await Self.start()
            try await Self.run(
                """
                do $$ begin
                  if not exists (select from pg_roles where rolname = '\(Self.loginRole)') then
                    create role \(Self.loginRole) login noinherit;
                  end if;
                end $$
                """, on: ready.admin)
            try await Self.run("create database \(template)", on: ready.admin)
            let pool = PostgresPool(PostgresConfiguration(connectionString: ready.url(template, nil)))
            _ = try await Migrator(pool: pool).migrate(loginRole: Self.loginRole)
            // Admins sign in with a password alone in most tests; those of the second factor switch it on again.
            _ = try await pool.batch(
                [.trusted("update apps set settings = '{\"require_second_factor\": false}' where name = 'gatepost'")],
                deadline: .seconds(20))
            // A template to which somebody is connected cannot be copied.
            await pool.shutdown()
            return ready
        }
        self.starting = starting
        return try await starting.value
    }

    private static func start() async throws -> Ready {
        if let base = ProcessInfo.processInfo.environment["GATEPOST_TEST_DATABASE_URL"] {
            guard isLocal(base) else { throw Unusable.hostNotLocal }
            guard !LocalPooler.isAsked else { throw Unusable.poolerBeforeForeignServer }
            let url: @Sendable (String, String?) -> String = { database, user in
                // Of two values of one parameter libpq takes the last.
                base + (base.contains("?") ? "&" : "?") + "dbname=\(database)" + (user.map { "&user=\($0)" } ?? "")
            }
            return Ready(
                url: url, admin: PostgresPool(PostgresConfiguration(connectionString: base)), server: nil,
                pooler: nil)
        }
        let folder = "/tmp/gatepost-tests-\(UUID().uuidString.prefix(8))"
        let server = try await LocalPostgres.start(
            folder: folder, settings: ["max_connections": "300", "jit": "off"], durability: .disposable)
        let pooler = LocalPooler.isAsked ? try LocalPooler(before: server) : nil
        try await pooler?.start()
        return Ready(
            url: { server.url(database: $0, user: $1 ?? LocalPostgres.superuser) },
            admin: PostgresPool(PostgresConfiguration(connectionString: server.url(database: "postgres"))),
            server: server, pooler: pooler)
    }

    private func run(_ statement: String, on pool: PostgresPool) async throws {
        try await Self.run(statement, on: pool)
    }

    private static func run(_ statement: String, on pool: PostgresPool) async throws {
        try await pool.batch([.trusted(statement)], on: .exclusive, deadline: bound)
    }

    /// Whether every host of a URL is a socket's folder or a loopback address.
    static func isLocal(_ url: String) -> Bool {
        guard let parts = URLComponents(string: url) else { return false }
        let named = (parts.queryItems ?? []).filter { ["host", "hostaddr"].contains($0.name) }.compactMap(\.value)
        let hosts = ([parts.host ?? ""] + named).flatMap { $0.split(separator: ",").map(String.init) }
        return hosts.allSatisfy { $0.hasPrefix("/") || ["localhost", "127.0.0.1", "::1", "[::1]"].contains($0) }
    }
}
