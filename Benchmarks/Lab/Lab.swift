import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres

/// Where everything is measured: a throwaway Postgres with a template that every benchmark gets a copy of.
///
/// The template has been migrated by the program itself and holds an app, a client and ten thousand verified users.
struct Lab: Sendable {
    /// The role that Gatepost logs in with: it may nothing itself.
    static let loginRole = "gatepost_login"
    private static let template = "gatepost_template"
    private static let redirectURI = "https://app.example/callback"

    /// What is not measured is kept out: no disk unless asked for, no checkpoint, no just-in-time compiler.
    private static func settings(syncsToDisk: Bool) -> [String: String] {
        let disk = syncsToDisk ? "on" : "off"
        return [
            "fsync": disk, "full_page_writes": disk, "jit": "off", "shared_buffers": "512MB", "max_wal_size": "8GB",
            "log_line_prefix": "",
        ]
    }

    let postgres: LocalPostgres
    /// Where the server's own programs are, pgbench among them.
    let programs: String
    private let keys: Secret
    private let app: AppID
    private let client: ClientID

    /// Sets everything up, runs `body`, and stops it all.
    static func running(syncsToDisk: Bool, _ body: (Lab) async throws -> Void) async throws {
        let postgres = try await LocalPostgres.temporary(settings: settings(syncsToDisk: syncsToDisk))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(try await prepared(on: postgres)))
        } catch {
            result = .failure(error)
        }
        await postgres.stop()
        try result.get()
    }

    private static func prepared(on postgres: LocalPostgres) async throws -> Lab {
        try await postgres.runScript("create role \(loginRole) login noinherit", database: "postgres")
        try await postgres.createDatabase(template)
        let url = postgres.url(database: template, user: loginRole)
        _ = try await Program.output(
            Program.sibling("gatepost"), ["migrate"],
            environment: [
                "GATEPOST_DATABASE_URL": url, "GATEPOST_DATABASE_MIGRATE_URL": postgres.url(database: template),
            ], within: .seconds(60))
        let keys = Secret("1:" + Data(SystemRandom().bytes(32)).base64EncodedString())
        let (app, client) = try await makeApp(url: url, keys: keys)
        try await postgres.runScript(Site.users(of: app, client: client), database: template)
        let lock = try String(contentsOfFile: postgres.folder + "/data/postmaster.pid", encoding: .utf8)
        let server = URL(fileURLWithPath: "/proc/\(lock.prefix { $0 != "\n" })/exe").resolvingSymlinksInPath()
        return Lab(
            postgres: postgres, programs: server.deletingLastPathComponent().path, keys: keys, app: app,
            client: client)
    }

    private static func makeApp(url: String, keys: Secret) async throws -> (AppID, ClientID) {
        let pool = PostgresPool(PostgresConfiguration(connectionString: url))
        let database = Database(pool: pool)
        let flow = AppFlow(
            database: database, clock: try await DatabaseClock(pool: pool), random: SystemRandom(),
            keys: try KeyRing(keys))
        var settings = AppSettings()
        // All of the load comes from one address: it is counted as ever, and never refused.
        (settings.clientTriesPerQuarterHour, settings.triesPerQuarterHour) = (1_000_000, 1_000_000)
        (settings.clientMailsPerHour, settings.mailsPerHour) = (1_000_000, 1_000_000)
        let app = try await flow.createApp(named: "Benchmark", settings: settings)
        guard let scope = try await database.scope(of: app) else { throw Program.Failed(description: "no app") }
        let client = try await flow.createClient(
            named: "Benchmark", redirectURIs: [redirectURI].compactMap(RedirectURI.init),
            idTokenAlgorithm: .es256, in: scope)
        await pool.shutdown()
        return (app, client)
    }

    /// Runs `body` with a fresh copy of the template.
    func withSite<Output>(_ body: (Site) async throws -> Output) async throws -> Output {
        let name = "gatepost_\(UUID().uuidString.prefix(8).lowercased())"
        try await postgres.createDatabase(name, template: Self.template)
        // A port that nobody listens at: tokens and links begin with the base URL, so it has to be known beforehand.
        let port = try await SMTPServer.running { $0.port }
        let site = Site(
            lab: self, name: name, app: app, client: client, redirectURI: Self.redirectURI, keys: keys, port: port)
        let result: Result<Output, any Error>
        do { result = .success(try await body(site)) } catch { result = .failure(error) }
        try await postgres.dropDatabase(name)
        return try result.get()
    }

    /// Version of the server, as it says.
    func postgresVersion() async throws -> String {
        try await postgres.runScript("show server_version", database: "postgres")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
