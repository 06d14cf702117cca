import Curl
import Foundation
import GatepostDev
import Postgres
import Synchronization
import TestSupport
import Testing

/// Gatepost as an operator sets it up: a database, a login role, keys, a relay, servers and workers.
final class Installation: Sendable {
    let cluster: Cluster
    let database: String
    /// Where its mails go: a real SMTP server, which can be told to fail.
    let relay: SMTPServer
    /// The superuser's connections, past every policy: for looking at what happened, and for doing harm.
    let superuser: PostgresPool
    /// The settings of every program.
    let settings: [String: String]
    private let http: HTTPClient
    private let programs = Mutex<[Program]>([])

    private init(
        cluster: Cluster, database: String, relay: SMTPServer, settings: [String: String], http: HTTPClient
    ) {
        (self.cluster, self.database, self.relay) = (cluster, database, relay)
        (self.settings, self.http) = (settings, http)
        superuser = PostgresPool(
            PostgresConfiguration(connectionString: cluster.postgres.url(database: database)))
    }

    /// Where people reach it.
    var baseURL: String { settings["GATEPOST_BASE_URL"] ?? "" }
    /// Every program that was started, in order.
    var started: [Program] { programs.withLock { $0 } }

    /// Sets up an installation, runs `body` with it, and ends whatever runs then.
    ///
    /// - Parameters:
    ///   - cluster: Where its database is; by default the shared one.
    ///   - script: How its relay misbehaves.
    ///   - settings: More settings, or others.
    ///   - body: The test.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or what kept the installation from being made.
    @discardableResult
    static func running<Output>(
        on cluster: Cluster? = nil, script: SMTPScript = SMTPScript(), settings: [String: String] = [:],
        _ body: (Installation) async throws -> Output
    ) async throws -> Output {
        try await Turnstile.shared.passing {
            let shared = try await Cluster.shared.value
            let cluster = cluster ?? shared
            let database = try await cluster.makeDatabase()
            return try await SMTPServer.running(script: script) { relay in
                let all = try await common(relay).merging(cluster.settings(database: database)) { $1 }
                let installation = Installation(
                    cluster: cluster, database: database, relay: relay, settings: all.merging(settings) { $1 },
                    http: try HTTPClient(.init { _ in true }))
                let result: Result<Output, any Error>
                do { result = .success(try await body(installation)) } catch { result = .failure(error) }
                await installation.close()
                return try result.get()
            }
        }
    }

    /// A key-encryption key, made by the program once for all: a hundred installations need not start it for theirs.
    private static let keys = Task {
        let made = try await Program.run(["keys", "generate"], environment: [:])
        try #require(made.exit == .done, "\(made.errors)")
        return made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func common(_ relay: SMTPServer) async throws -> [String: String] {
        let port = try await freePort()
        return [
            "GATEPOST_KEY_ENCRYPTION_KEYS": try await keys.value,
            "GATEPOST_BASE_URL": "http://127.0.0.1:\(port)", "GATEPOST_LISTEN": "127.0.0.1:\(port)",
            "GATEPOST_OPERATIONS_LISTEN": "127.0.0.1:0",
            "GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(relay.port)", "GATEPOST_MAIL_FROM": "no-reply@gatepost.example",
            "GATEPOST_PRIVATE_DESTINATIONS": "127.0.0.0/8", "GATEPOST_OUTBOX_POLL_MILLISECONDS": "10",
            "GATEPOST_DATABASE_CONNECTIONS": "4", "GATEPOST_DATABASE_EXCLUSIVE_CONNECTIONS": "4",
        ]
    }

    /// A port that nobody listens at: the base URL has to be known before the server is started.
    static func freePort() async throws -> Int {
        try await SMTPServer.running { $0.port }
    }

    /// Starts the program with the installation's settings, and others on top.
    func start(_ arguments: [String], _ more: [String: String] = [:]) async throws -> Program {
        let program = try await Program(arguments, environment: settings.merging(more) { $1 })
        programs.withLock { $0.append(program) }
        return program
    }

    /// Starts `gatepost serve` and waits until it listens.
    @discardableResult
    func serve(_ more: [String: String] = [:]) async throws -> Program {
        let program = try await start(["serve"], more)
        try await program.line(beginning: "listening on http://")
        return program
    }

    /// Starts `gatepost work` and waits until it works.
    @discardableResult
    func work(_ more: [String: String] = [:]) async throws -> Program {
        let program = try await start(["work"], more)
        try await program.line(beginning: "working")
        return program
    }

    /// Runs a command of an operator's to its end.
    func run(_ arguments: String..., settings more: [String: String] = [:]) async throws -> Program.Outcome {
        try await Program.run(arguments, environment: settings.merging(more) { $1 })
    }

    /// Sends a request to the server.
    func send(
        _ method: String, _ path: String, headers: KeyValuePairs<String, String> = [:], body: String? = nil
    ) async throws -> HTTPResponse {
        let url = path.hasPrefix("http://") ? path : baseURL + path
        return try await http.send(
            HTTPRequest(
                method, url, headers: headers.map { .init($0.key, $0.value) }, body: body.map { Array($0.utf8) }))
    }

    /// The first column of a statement's rows, which must be text, as the superuser.
    @discardableResult
    func texts(_ statement: String) async throws -> [String] {
        let results = try await superuser.batch([.trusted(statement)], deadline: .seconds(20))
        return try (results.first.map(Array.init) ?? []).map { try $0.get(0, as: String?.self) ?? "" }
    }

    /// A number that a statement returns.
    func count(_ statement: String) async throws -> Int {
        Int(try await texts("select (\(statement))::text").first ?? "") ?? 0
    }

    /// Waits until nothing is owed any more.
    func waitUntilNothingIsOwed(within bound: Duration = .seconds(60)) async throws {
        try await eventually(within: bound, "nothing is owed") {
            try await count("select count(*) from outbox") == 0 ? () : nil
        }
    }

    private func close() async {
        for program in started {
            _ = try? await program.kill()
        }
        await http.shutdown()
        await superuser.shutdown()
        try? await cluster.postgres.dropDatabase(database)
    }
}
