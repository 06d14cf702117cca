import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres

/// One installation: a database with an app, and the settings of the programs that use it.
struct Site: Sendable {
    /// Users have consecutive numbers of 19 digits: their ids are these and zeros, their addresses begin with them.
    static let firstUser = 1_000_000_000_000_000_000
    static let userCount = 10_000
    static let password = "seven lanterns over quiet water"
    /// The password's hash in today's strength.
    static let passwordHash = """
        $argon2id$v=19$m=19456,t=2,p=1$HT5EinCCJq7bmrXhTbu03w$KQajcSLrt4jxr4rKlFSoR/glr7GVssC9jKLev2LyH9s
        """

    let lab: Lab
    let name: String
    let app: AppID
    let client: ClientID
    let redirectURI: String
    let keys: Secret
    let port: Int

    var baseURL: String { "http://127.0.0.1:\(port)" }
    /// Where the login role connects.
    var databaseURL: String { lab.postgres.url(database: name, user: Lab.loginRole) }

    /// The settings of the programs; everything else has its default.
    var environment: [String: String] {
        [
            "GATEPOST_DATABASE_URL": databaseURL, "GATEPOST_KEY_ENCRYPTION_KEYS": keys.revealed,
            "GATEPOST_BASE_URL": baseURL, "GATEPOST_LISTEN": "127.0.0.1:\(port)",
            "GATEPOST_OPERATIONS_LISTEN": "127.0.0.1:0",
        ]
    }

    /// The id of one of the users, or of the session that each of them has.
    static func id<Kind>(ofUser number: Int) -> TypedID<Kind> {
        let digits = String(number)
        return TypedID(
            uuid: UUIDBits(
                high: UInt64(digits.prefix(16), radix: 16) ?? 0, low: (UInt64(digits.suffix(3), radix: 16) ?? 0) << 52))
    }

    /// The address of one of the users.
    static func address(ofUser number: Int) -> String { "\(number)@users.example" }

    /// The number of a user, drawn evenly.
    static func anyUser() -> Int { Int.random(in: firstUser..<firstUser + userCount) }

    /// Statements that make the users, each with a password and a session.
    static func users(of app: AppID, client: ClientID) -> String {
        func text(_ uuid: UUIDBits) -> String {
            "'" + uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'::uuid"
        }
        let numbers = "generate_series(\(firstUser), \(firstUser + userCount - 1)) as n"
        let id = "(n || repeat('0', 13))::uuid"
        return """
            insert into users (app_id, id, email, email_entered, email_verified_at, state, auth_epoch, created_at)
            select \(text(app.uuid)), \(id), n || '@users.example', n || '@users.example', now(), 'active', 1, now()
              from \(numbers);
            insert into credentials (app_id, user_id, kind, password_hash, version, created_at, changed_at)
            select \(text(app.uuid)), \(id), 'password', '\(passwordHash)', 1, now(), now() from \(numbers);
            insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, authenticated_at, created_at,
                                  last_used_at, idle_expires_at, expires_at)
            select \(text(app.uuid)), \(id), \(id), \(text(client.uuid)), 1, array['pwd'], now(), now(), now(),
                   now() + interval '1 day', now() + interval '1 day'
              from \(numbers);
            vacuum analyze;
            """
    }

    /// Runs `body` with a database as Gatepost uses it.
    func withDatabase<Output>(
        connections: Int = 8, _ body: (Database) async throws -> Output
    ) async throws -> Output {
        var settings = PostgresConfiguration(connectionString: databaseURL)
        settings.sharedConnectionsMax = connections
        let pool = PostgresPool(settings)
        let result: Result<Output, any Error>
        do { result = .success(try await body(Database(pool: pool))) } catch { result = .failure(error) }
        await pool.shutdown()
        return try result.get()
    }

    /// The app, resolved.
    func scope() async throws -> AppScope {
        guard let scope = try await withDatabase({ try await $0.scope(of: app) }) else {
            throw Program.Failed(description: "the app is gone")
        }
        return scope
    }

    /// Runs `body` while a program of ours runs with the site's settings; ready once it has said so.
    func running<Output>(
        _ arguments: [String], of program: String = "gatepost", saying ready: String = "listening on http://",
        with more: [String: String] = [:], _ body: (Program) async throws -> Output
    ) async throws -> Output {
        let program = try await Program.start(
            Program.sibling(program), arguments, environment: environment.merging(more) { $1 })
        let result: Result<Output, any Error>
        do {
            try await program.line(beginning: ready)
            result = .success(try await body(program))
        } catch {
            // If it has ended meanwhile, then that is the reason.
            result = .failure(program.hasEnded ? program.failure("ended") : error)
        }
        await program.stop()
        return try result.get()
    }

    /// Records what a call sends and prepares to replay it.
    func pgbench(replaying call: (Database, AppScope) async throws -> Void) async throws -> Pgbench {
        let recording = try await Recording.of(self, call)
        return Pgbench(program: lab.programs + "/pgbench", url: databaseURL, replaying: recording)
    }

    /// Runs SQL as the superuser.
    func runScript(_ sql: String) async throws {
        try await lab.postgres.runScript(sql, database: name)
    }

    /// Compares in an installation that is no longer new: once both are warm, Postgres looks at what the tables hold.
    ///
    /// Autovacuum does the same within a minute of the first load. Until then plans are made for empty tables, for
    /// which one index is as good as the other, and a request may read all rows of an app to find one.
    func compare(
        at pace: Pace, _ figure: () async throws -> Double, with limit: () async throws -> Double
    ) async throws -> Comparison {
        try await pace.compare(figure, with: limit) { _ = try await runScript("vacuum analyze") }
    }

    /// Runs a query as the superuser and returns its one value.
    func runQuery(_ sql: String) async throws -> String {
        try await lab.postgres.runScript(sql, database: name).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the server has logged.
    func log() throws -> String {
        try String(contentsOfFile: lab.postgres.folder + "/server.log", encoding: .utf8)
    }
}
