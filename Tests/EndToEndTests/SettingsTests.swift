import Foundation
import GatepostDev
import TestSupport
import Testing

/// What an operator who got something wrong is told, and what a script can tell it by.
@Suite("Settings", .timeLimit(.minutes(20)))
struct SettingsTests {
    /// The exit code of a wrong command line or setting (sysexits.h, EX_USAGE).
    static let usage = Program.Exit(status: 64, isSignal: false)
    static let failure = Program.Exit(status: 1, isSignal: false)

    /// All that must be set, of a database and a relay that are not there: most settings are read before anything is
    /// connected to.
    private static let settings = [
        "GATEPOST_DATABASE_URL": "postgresql:///gatepost?host=/nonexistent",
        "GATEPOST_DATABASE_MIGRATE_URL": "postgresql:///gatepost?host=/nonexistent",
        "GATEPOST_KEY_ENCRYPTION_KEYS": "1:\(Data(repeating: 7, count: 32).base64EncodedString())",
        "GATEPOST_BASE_URL": "https://auth.example.com", "GATEPOST_SMTP_URL": "smtp://127.0.0.1:9",
        "GATEPOST_MAIL_FROM": "no-reply@example.com",
    ]

    /// Runs a command with a setting that is wrong.
    private func run(_ command: String, _ setting: String, _ value: String) async throws -> Program.Outcome {
        try await Program.run([command], environment: Self.settings.merging([setting: value]) { $1 })
    }

    @Test(arguments: ["serve", "work", "migrate"])
    func `an unknown setting is refused, with the one that was meant`(command: String) async throws {
        let outcome = try await run(command, "GATEPOST_DATABASE_CONECTIONS", "9")
        #expect(outcome.exit == Self.usage)
        #expect(outcome.errors.contains("GATEPOST_DATABASE_CONECTIONS is not a setting"))
        #expect(outcome.errors.contains("did you mean GATEPOST_DATABASE_CONNECTIONS?"))
    }

    @Test(arguments: [
        ("serve", "GATEPOST_DATABASE_URL"), ("serve", "GATEPOST_KEY_ENCRYPTION_KEYS"), ("serve", "GATEPOST_BASE_URL"),
        ("work", "GATEPOST_SMTP_URL"), ("work", "GATEPOST_MAIL_FROM"), ("migrate", "GATEPOST_DATABASE_URL"),
    ])
    func `a missing setting is named`(command: String, setting: String) async throws {
        let outcome = try await run(command, setting, "")
        #expect(outcome.exit == Self.usage)
        #expect(outcome.errors.contains("\(setting) is not set"))
    }

    @Test(arguments: [
        ("GATEPOST_OUTBOX_SLOTS", "many"), ("GATEPOST_BASE_URL", "http://example.com/"), ("GATEPOST_LISTEN", "here"),
        ("GATEPOST_MAIL_FROM", "nobody"), ("GATEPOST_OUTBOX_LEASE_SECONDS", "5"),
    ])
    func `a value that cannot be used is refused by its setting's name`(
        setting: String, value: String
    ) async throws {
        let outcome = try await run("work", setting, value)
        #expect(outcome.exit == Self.usage)
        #expect(outcome.errors.contains(setting))
    }

    @Test func `so is one that is read once there is a connection, and a key is not repeated`() async throws {
        try await Installation.running { installation in
            for (setting, value) in [
                ("GATEPOST_KEY_ENCRYPTION_KEYS", "1:c2hvcnQ="), ("GATEPOST_SMTP_URL", "relay:25"),
                ("GATEPOST_PRIVATE_DESTINATIONS", "127.0.0.1/8"),
            ] {
                let outcome = try await installation.run("work", settings: [setting: value])
                #expect(outcome.exit == Self.usage, "\(setting)")
                #expect(outcome.errors.contains(setting), "\(setting): \(outcome.errors)")
                #expect(!outcome.errors.contains("c2hvcnQ="))
            }
        }
    }

    @Test func `a login role that could read past row-level security is refused`() async throws {
        try await Installation.running { installation in
            for command in ["serve", "work"] {
                let superuser = installation.cluster.postgres.url(database: installation.database)
                let outcome = try await installation.run(command, settings: ["GATEPOST_DATABASE_URL": superuser])
                #expect(outcome.exit == Self.failure)
                #expect(outcome.errors.contains("row-level security") && outcome.errors.contains("noinherit"))
            }
        }
    }

    @Test func `a database that nobody has migrated is refused, with what to do`() async throws {
        try await Installation.running { installation in
            let name = installation.database + "_bare"
            try await installation.cluster.postgres.createDatabase(name)
            let settings = installation.cluster.settings(database: name)
            let refused = try await Program.run(
                ["serve"], environment: installation.settings.merging(settings) { $1 })
            #expect(refused.exit == Self.failure)
            #expect(refused.errors.contains("gatepost migrate"))
            try await installation.cluster.postgres.dropDatabase(name)
        }
    }

    @Test func `a command line that is wrong and an app that does not exist are told by their exit code`() async throws
    {
        try await Installation.running { installation in
            let nonsense = try await installation.run("outbox", "list", "nonsense")
            #expect(nonsense.exit == Self.usage)
            let unknown = try await installation.run("no-such-command")
            #expect(unknown.exit == Self.usage)
            let script = try await installation.run("apps", "create", "A", "--redirect-uri", "javascript:1")
            #expect(script.exit == Self.usage)
            let list = try await installation.run("apps", "list", "--json")
            #expect(list.exit == .done)
        }
    }
}
