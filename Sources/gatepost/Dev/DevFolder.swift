import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore

/// What `gatepost dev` keeps: a cluster, and a key that opens what is sealed in it.
struct DevFolder {
    /// The login role, as an operator would make it.
    static let loginRole = "gatepost"

    /// Receivers on this machine have no public address.
    static let privateDestinations = ["127.0.0.0/8", "::1/128"]

    private let url: URL

    init(_ url: URL) {
        self.url = url.standardizedFileURL
    }

    /// Starts the cluster; makes the login role and the database the first time.
    func startPostgres() async throws -> LocalPostgres {
        let postgres = try await LocalPostgres.start(
            folder: url.appendingPathComponent("postgres").path, durability: .durable)
        let role = Self.loginRole
        _ = try await postgres.runScript(
            """
            do $$ begin
              if not exists (select from pg_roles where rolname = '\(role)') then
                create role \(role) login noinherit;
              end if;
            end $$;
            """, database: "postgres")
        let known = try await postgres.runScript(
            "select 'known' from pg_database where datname = '\(role)'", database: "postgres")
        if !known.contains("known") { try await postgres.createDatabase(role) }
        return postgres
    }

    /// The settings that a production installation would get by its environment.
    func configuration(postgres: LocalPostgres, smtpPort: Int, port: Int) throws -> Configuration {
        var configuration = Configuration()
        configuration.databaseURL = Secret(postgres.url(database: Self.loginRole, user: Self.loginRole))
        configuration.databaseMigrateURL = Secret(postgres.url(database: Self.loginRole))
        configuration.keyEncryptionKeys = try keyEncryptionKeys()
        configuration.baseURL = "http://localhost:\(port)"
        configuration.listen = ListenAddress(host: "127.0.0.1", port: port)
        configuration.smtpURL = "smtp://127.0.0.1:\(smtpPort)"
        configuration.mailFrom = "no-reply@gatepost.example"
        configuration.privateDestinations = Self.privateDestinations
        configuration.logLevel = "notice"
        configuration.logFormat = .text
        // Any port, so that two of them on one machine do not meet.
        configuration.operationsListen = ListenAddress(host: "127.0.0.1", port: 0)
        return configuration
    }

    /// The admin API key of an earlier start while it works, or a new one, readable by its owner only.
    func adminKey(_ wiring: Wiring) async throws -> Secret {
        let file = url.appendingPathComponent("admin-api-key")
        let scope = try await wiring.scope(of: AppID.gatepost.description)
        if let text = try? String(contentsOf: file, encoding: .utf8),
            let known = OneTimeToken(.apiKey, presented: text),
            try await wiring.database.batch(in: scope, { $0.liveAPIKey(known, at: wiring.clock.now) }) != nil
        {
            return known.secret
        }
        let key = try await wiring.adminKeyFlow().create(
            named: "gatepost dev", AdminGrant(.admin, in: nil), life: Lifetimes.apiKeyMax, for: .byOperator
        ).value()
        let isWritten = FileManager.default.createFile(
            atPath: file.path, contents: Data(key.token.secret.revealed.utf8), attributes: [.posixPermissions: 0o600])
        guard isWritten else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: file.path]) }
        return key.token.secret
    }

    /// Where the key-encryption key is kept.
    private var keysFile: URL { url.appendingPathComponent("key-encryption-keys") }

    /// The key of an earlier start.
    var knownKeys: Secret? {
        let text = try? String(contentsOf: keysFile, encoding: .utf8)
        return text.map { Secret($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Where the cluster that runs on this folder is reached, as the login role; nil where none does.
    ///
    /// Its `postmaster.pid` says process, data, start, port and socket folder, a line each
    /// (PostgreSQL, src/include/utils/pidfile.h).
    var runningURL: Secret? {
        let file = url.appendingPathComponent("postgres/data/postmaster.pid")
        let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(
            separator: "\n", omittingEmptySubsequences: false)
        guard let lines, lines.count >= 5, FileManager.default.fileExists(atPath: "/proc/\(lines[0])"),
            let host = lines[4].addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        else { return nil }
        return Secret("postgresql://\(Self.loginRole)@/\(Self.loginRole)?host=\(host)&port=\(lines[3])")
    }

    /// The key of an earlier start, or a new one, readable by its owner only.
    private func keyEncryptionKeys() throws -> Secret {
        let file = keysFile
        if let knownKeys { return knownKeys }
        let keys = "1:\(Data(SystemRandom().bytes(32)).base64EncodedString())"
        let isWritten = FileManager.default.createFile(
            atPath: file.path, contents: Data(keys.utf8), attributes: [.posixPermissions: 0o600])
        guard isWritten else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: file.path]) }
        return Secret(keys)
    }
}
