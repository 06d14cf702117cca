import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost admins api-keys`: what programs use the admin API with.
struct APIKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-keys", abstract: "Create, list and revoke API keys.",
        subcommands: [Create.self, List.self, Revoke.self])

    /// The command `gatepost admins api-keys create NAME`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a key and print it, once.",
            discussion: "Only a hash of it is kept. A key cannot be an owner.")

        @Argument(help: "What it is for, up to 100 characters.")
        var name: String
        @OptionGroup var grant: GrantOptions
        @Option(help: "How many days it lives, 1 to 366.")
        var days: Int64 = 90
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard (1...100).contains(name.unicodeScalars.count) else {
                throw ValidationError("a name has 1 to 100 characters")
            }
            guard (1...366).contains(days) else { throw ValidationError("--days is a number from 1 to 366") }
            let grant = try self.grant.grant()
            try await Wiring.withOperator(.database) { wiring in
                let key = try await wiring.adminKeyFlow().create(
                    named: name, grant, life: .hours(24 * days), for: .byOperator
                ).value()
                let made = Made(
                    id: key.id.description, key: key.token.secret.revealed, expiresAt: key.expiresAt.description)
                if output.json { return try Terminal.sayJSON(made) }
                Terminal.say("id       \(made.id)")
                Terminal.say("key      \(made.key)")
                Terminal.say("expires  \(made.expiresAt)")
            }
        }

        private struct Made: Encodable {
            let id: String
            let key: String
            let expiresAt: String
        }
    }

    /// The command `gatepost admins api-keys list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List keys, newest first; never the keys themselves.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let now = wiring.clock.now
                let rows = try await wiring.adminKeyFlow().keys(visibleTo: .operator, limit: 1000).map { key in
                    Row(
                        id: key.id.description, name: key.name, prefix: key.prefix, role: key.grant.role.rawValue,
                        app: key.grant.app?.description, state: key.state(at: now),
                        expiresAt: key.expiresAt.description)
                }
                let headings = ["KEY", "NAME", "PREFIX", "ROLE", "APP", "STATE", "EXPIRES"]
                try Terminal.sayList(rows, asJSON: output.json, headings: headings) {
                    [$0.id, $0.name, $0.prefix, $0.role, $0.app ?? "all", $0.state, $0.expiresAt]
                }
            }
        }

        private struct Row: Encodable {
            let id: String
            let name: String
            let prefix: String
            let role: String
            let app: String?
            let state: String
            let expiresAt: String
        }
    }

    /// The command `gatepost admins api-keys revoke KEY`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key; it opens nothing from here on.")

        @Argument(help: "The key's id, as list shows it.")
        var key: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let id = APIKeyID(key) else { throw ValidationError("\(key) is not the id of a key (apk_…)") }
            try await Wiring.withOperator(.database) { wiring in
                let revoked = try await wiring.adminKeyFlow().revoke(id, for: .byOperator).value()
                try Terminal.sayDone("revoked", revoked, asJSON: output.json)
            }
        }
    }
}

extension APIKeyRecord {
    /// `active`, `expired` or `revoked`.
    fileprivate func state(at now: Instant) -> String {
        if revokedAt != nil { return "revoked" }
        return expiresAt > now ? "active" : "expired"
    }
}
