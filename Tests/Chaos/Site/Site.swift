import Curl
import Foundation
import GatepostDev
import Postgres
import Synchronization
import TestSupport

/// A whole installation in processes of its own: Postgres, pgbouncer before it, the API, four workers; and in this one
/// the mail server and the receiver of notices.
final class Site: Sendable {
    static let workerCount = 4
    static let loginRole = "gatepost_login"
    static let database = "gatepost"
    /// The paths at which all notices are received.
    static let endpoints = ["/hooks/a", "/hooks/b"]
    /// How long a claimed message is a worker's own, and how long one attempt may take.
    static let lease = (seconds: 12, deadlineSeconds: 5)

    let postgres: LocalPostgres
    let pooler: Supervised
    let server: Supervised
    let workers: [Supervised]
    let clocks: Clocks
    let mails: MailSide
    let notices: NoticeSide
    let sink: HTTPSink
    let api: API
    let successes: Successes
    /// The superuser's connections, past the pooler.
    let superuser: PostgresPool
    /// What was given a shorter life: messages, and when they end.
    let shortened = Mutex<[String: Double]>([:])

    private init(
        postgres: LocalPostgres, pooler: LocalPooler, settings: Settings, mails: MailSide, notices: NoticeSide,
        sink: HTTPSink, successes: Successes, logs: String?
    ) throws {
        (self.postgres, self.mails, self.notices, self.sink) = (postgres, mails, notices, sink)
        self.successes = successes
        clocks = try Clocks(count: 3, in: settings.folder)
        self.pooler = Supervised(
            "pgbouncer", pooler.command, environment: [:], saying: LocalPooler.readyLine, logs: logs)
        let program = Settings.program
        server = Supervised(
            "serve", (program, ["serve"]), environment: settings.environment.merging(clocks.environment(0)) { $1 },
            saying: "listening on http://", logs: logs)
        workers = (0..<Self.workerCount).map { [clocks] number in
            // Two of them, and the server, live by a host's clock that goes wrong.
            let clock = number < 2 ? clocks.environment(number + 1) : [:]
            return Supervised(
                "work-\(number + 1)", (program, ["work"]),
                environment: settings.environment.merging(clock) { $1 }, saying: "working", logs: logs)
        }
        superuser = PostgresPool(PostgresConfiguration(connectionString: postgres.url(database: Self.database)))
        api = API(
            http: try HTTPClient(.init { _ in true }), baseURL: settings.baseURL, app: settings.app,
            client: settings.client, key: settings.key, successes: successes)
    }

    private var programs: [Supervised] { [pooler, server] + workers }
    /// Ends that nobody had asked for.
    var crashes: [String] { programs.flatMap(\.crashes) }

    /// Sets everything up, runs `body`, and ends it all.
    static func running<Output: Sendable>(
        logs: String?, _ body: @escaping @Sendable (Site) async throws -> Output
    ) async throws -> Output {
        if let logs { try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true) }
        // A commit is told before it is certain only where Gatepost itself asks for that.
        let postgres = try await LocalPostgres.temporary(
            settings: ["synchronous_commit": "on", "jit": "off", "max_connections": "200"])
        let result: Result<Output, any Error>
        do {
            let successes = Successes()
            let notices = NoticeSide(successes)
            result = .success(
                try await MailSide.running(successes) { mails in
                    try await HTTPSink.running({ notices.answer($0) }) { sink in
                        let settings = try await Settings.prepare(on: postgres, mailPort: mails.port)
                        let site = try Site(
                            postgres: postgres, pooler: try LocalPooler(before: postgres, poolSize: 20),
                            settings: settings, mails: mails, notices: notices, sink: sink, successes: successes,
                            logs: logs)
                        return try await site.living(body)
                    }
                })
        } catch {
            result = .failure(error)
        }
        await postgres.stop()
        return try result.get()
    }

    /// Keeps the programs running while `body` does.
    private func living<Output: Sendable>(
        _ body: @escaping @Sendable (Site) async throws -> Output
    ) async throws -> Output {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.pooler.run() }
            try await pooler.waitUntilReady()
            for program in [server] + workers { group.addTask { await program.run() } }
            let result: Result<Output, any Error>
            do {
                for program in [server] + workers { try await program.waitUntilReady() }
                for path in Self.endpoints {
                    guard case .yes = await api.makeEndpoint(sink.url(path)) else { throw Failed(what: "no endpoint") }
                }
                result = .success(try await body(self))
            } catch {
                result = .failure(error)
            }
            for program in programs { program.end() }
            try await group.waitForAll()
            await superuser.shutdown()
            await api.http.shutdown()
            return try result.get()
        }
    }
}

/// The round could not be made.
struct Failed: Error, CustomStringConvertible {
    let what: String

    var description: String { what }
}

/// The host's clocks of some programs, which are not this machine's.
struct Clocks: Sendable {
    private static let library = "/usr/lib/\(machine)-linux-gnu/faketime/libfaketimeMT.so.1"
    private let files: [String]

    private static var machine: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }

    var count: Int { files.count }

    /// Makes clocks that show the right time.
    init(count: Int, in folder: String) throws {
        guard FileManager.default.fileExists(atPath: Self.library) else {
            throw Failed(what: "libfaketime is not installed: run scripts/setup --chaos")
        }
        files = (0..<count).map { "\(folder)/clock-\($0)" }
        Self.forgetSharedMemory()
        for number in 0..<count { try set(number, offsetSeconds: 0) }
    }

    /// Removes what libfaketime shares between processes and what stays behind those that were killed.
    private static func forgetSharedMemory() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? [] {
            guard let match = name.wholeMatch(of: /(?:sem\.faketime_sem|faketime_shm)_(\d+)/),
                let process = Int32(match.1), kill(process, 0) != 0, errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: "/dev/shm/" + name)
        }
    }

    /// What puts a program under a clock; the monotonic one is left alone.
    func environment(_ number: Int) -> [String: String] {
        [
            "LD_PRELOAD": Self.library, "FAKETIME_TIMESTAMP_FILE": files[number],
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1",
        ]
    }

    /// Moves a clock; who looks at it finds out within a second.
    func set(_ number: Int, offsetSeconds: Int) throws {
        let sign = offsetSeconds < 0 ? "" : "+"
        try Data("\(sign)\(offsetSeconds)\n".utf8).write(to: URL(fileURLWithPath: files[number]))
    }
}
