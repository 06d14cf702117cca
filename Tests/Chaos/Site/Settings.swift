import Foundation
import GatepostDev
import TestSupport

/// What the programs are told: made by the program's own commands, past the pooler.
struct Settings: Sendable {
    /// The program of this build, which lies beside this one.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("gatepost").path

    private struct MadeApp: Decodable {
        let app: String
        let client: String
    }

    private struct MadeKey: Decodable {
        let key: String
    }

    let environment: [String: String]
    let baseURL: String
    let app: String
    let client: String
    let key: String
    /// For files of this round; it goes with the database.
    let folder: String

    /// Makes the database, an app, an admin's key, and the settings of the programs.
    static func prepare(on postgres: LocalPostgres, mailPort: Int) async throws -> Settings {
        try await postgres.runScript("create role \(Site.loginRole) login noinherit", database: "postgres")
        try await postgres.createDatabase(Site.database)
        // The base URL has to be known before the server is started: a port that nobody listens at.
        let port = try await SMTPServer.running { $0.port }
        let baseURL = "http://127.0.0.1:\(port)"
        var settings = [
            "GATEPOST_DATABASE_URL": postgres.url(database: Site.database, user: Site.loginRole),
            "GATEPOST_DATABASE_MIGRATE_URL": postgres.url(database: Site.database),
            "GATEPOST_KEY_ENCRYPTION_KEYS": try await run(["keys", "generate"], [:]),
            "GATEPOST_BASE_URL": baseURL, "GATEPOST_LISTEN": "127.0.0.1:\(port)",
            "GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(mailPort)", "GATEPOST_MAIL_FROM": "no-reply@gatepost.example",
            "GATEPOST_PRIVATE_DESTINATIONS": "127.0.0.0/8", "GATEPOST_LOG_LEVEL": "notice",
            // Four workers on one host would want the same port for health and metrics.
            "GATEPOST_OPERATIONS_LISTEN": "off",
            "GATEPOST_OUTBOX_LEASE_SECONDS": "\(Site.lease.seconds)",
            "GATEPOST_SMTP_DEADLINE_SECONDS": "\(Site.lease.deadlineSeconds)",
            "GATEPOST_DATABASE_CONNECTIONS": "4", "GATEPOST_DATABASE_EXCLUSIVE_CONNECTIONS": "2",
        ]
        _ = try await run(["migrate"], settings)
        let app: MadeApp = try await json(
            ["apps", "create", "Chaos", "--redirect-uri", API.redirectURI, "--id-token-alg", "ES256", "--json"],
            settings)
        // Everybody comes from this machine.
        _ = try await run(
            [
                "apps", "limits", app.app, "--client-tries", "1000000", "--client-mails", "1000000", "--mails",
                "1000000",
            ],
            settings)
        let key: MadeKey = try await json(
            ["admins", "api-keys", "create", "Chaos", "--role", "admin", "--days", "1", "--json"], settings)
        settings["GATEPOST_DATABASE_URL"] = try LocalPooler(before: postgres).url(
            database: Site.database, user: Site.loginRole)
        settings["GATEPOST_DATABASE_PREPARED_STATEMENTS"] = "false"
        return Settings(
            environment: settings, baseURL: baseURL, app: app.app, client: app.client, key: key.key,
            folder: try postgres.makeFolder("clocks"))
    }

    private static func json<Made: Decodable>(_ arguments: [String], _ settings: [String: String]) async throws -> Made
    {
        try JSONDecoder().decode(Made.self, from: Data(try await run(arguments, settings).utf8))
    }

    private static func run(_ arguments: [String], _ settings: [String: String]) async throws -> String {
        let child = try await ChildProcess.start(
            program, arguments, environment: ["PATH": "/usr/bin:/bin"].merging(settings) { $1 })
        let exit = try await child.wait(within: .seconds(60)) { $0.end }
        guard exit == .done else {
            throw Failed(
                what: "gatepost \(arguments.joined(separator: " ")): "
                    + String(decoding: child.current.errors, as: UTF8.self))
        }
        return String(decoding: child.current.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
