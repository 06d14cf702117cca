import Foundation
import GatepostDev
import TestSupport
import Testing

/// A Postgres server with a template that the program itself has migrated, and copies of it.
actor Cluster {
    /// The role that Gatepost logs in with: it may nothing itself.
    static let loginRole = "gatepost_login"
    private static let template = "gatepost_template"

    /// The one that tests use unless they harm it; it ends with this process.
    static let shared = Task {
        try Cluster(try await LocalPostgres.temporary(settings: ["max_connections": "300", "jit": "off"]))
    }

    nonisolated let postgres: LocalPostgres
    private var preparing: Task<Void, any Error>?
    private var databaseCount = 0
    /// What the programs go through, if the tests run behind a pooler.
    private nonisolated let pooler: LocalPooler?

    /// Takes a server, on which nothing has been prepared.
    init(_ postgres: LocalPostgres) throws {
        self.postgres = postgres
        pooler = LocalPooler.isAsked ? try LocalPooler(before: postgres) : nil
    }

    /// Makes a migrated database and returns its name.
    func makeDatabase() async throws -> String {
        try await prepared()
        databaseCount += 1
        let name = "gatepost_\(databaseCount)"
        try await postgres.createDatabase(name, template: Self.template)
        return name
    }

    /// The settings with which a program reaches a database as an operator sets them.
    nonisolated func settings(database: String) -> [String: String] {
        var settings = direct(database: database)
        if let pooler {
            settings["GATEPOST_DATABASE_URL"] = pooler.url(database: database, user: Self.loginRole)
            settings["GATEPOST_DATABASE_PREPARED_STATEMENTS"] = "false"
        }
        return settings
    }

    /// Past the pooler, which would stay connected: a template to which somebody is connected cannot be copied.
    private nonisolated func direct(database: String) -> [String: String] {
        [
            "GATEPOST_DATABASE_URL": postgres.url(database: database, user: Self.loginRole),
            "GATEPOST_DATABASE_MIGRATE_URL": postgres.url(database: database),
        ]
    }

    /// The folder of the server's own programs, which Debian keeps off the `PATH`.
    nonisolated func programs() throws -> String {
        let lock = try String(contentsOfFile: postgres.folder + "/data/postmaster.pid", encoding: .utf8)
        let processID = try #require(lock.split(separator: "\n").first)
        return URL(fileURLWithPath: "/proc/\(processID)/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
    }

    private func prepared() async throws {
        if let preparing { return try await preparing.value }
        let preparing = Task { [postgres, pooler] in
            try await pooler?.start()
            try await postgres.runScript("create role \(Self.loginRole) login noinherit", database: "postgres")
            try await postgres.createDatabase(Self.template)
            let migration = try await Program.run(["migrate"], environment: direct(database: Self.template))
            #expect(migration.exit == .done, "\(migration.errors)")
        }
        self.preparing = preparing
        try await preparing.value
    }
}

/// Lets so many tests in at a time: each has servers, workers and a database, and the machine may have two cores.
actor Turnstile {
    static let shared = Turnstile(places: 2)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    /// Runs `body` once there is a place.
    nonisolated func passing<Output>(_ body: () async throws -> Output) async throws -> Output {
        await enter()
        do {
            let output = try await body()
            await leave()
            return output
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        places += 1
    }
}

/// Asks again and again until there is an answer: what happens in other processes can only be looked at.
func eventually<Value>(
    within bound: Duration = .seconds(60), _ what: String, _ look: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + bound
    while clock.now < deadline {
        if let value = try await look() { return value }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw NeverCame(what: what)
}

/// What was waited for did not come.
struct NeverCame: Error {
    let what: String
}
