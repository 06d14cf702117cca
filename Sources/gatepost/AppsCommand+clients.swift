import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

extension AppsCommand {
    /// The command `gatepost apps clients APP`.
    struct Clients: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List an app's clients, or add one with --add.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "The name of a client to add.")
        var add: String?
        @Option(name: .customLong("redirect-uri"), help: "Where the new client may be sent back to; may be repeated.")
        var redirectURIs: [String] = []
        @Flag(help: "The new client runs on a server and gets a secret, which is printed once.")
        var confidential = false
        @Flag(help: "The new client is somebody else's: each user is asked before it is told anything.")
        var thirdParty = false
        @Flag(help: "The new client knows users by subjects that tell nothing to clients of other hosts.")
        var pairwise = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let redirectURIs = try self.redirectURIs.map(RedirectURI.init(argument:))
            guard add != nil || redirectURIs.isEmpty else { throw ValidationError("--redirect-uri goes with --add") }
            guard add != nil || !confidential else { throw ValidationError("--confidential goes with --add") }
            guard add != nil || !thirdParty else { throw ValidationError("--third-party goes with --add") }
            guard add != nil || !pairwise else { throw ValidationError("--pairwise goes with --add") }
            try await Wiring.withOperator(add == nil ? .database : .keys) { wiring in
                let scope = try await wiring.scope(of: app)
                var secret: String?
                if let add {
                    guard (1...100).contains(add.count) else { throw ValidationError("a name has 1 to 100 characters") }
                    let wanted = AdminClientFlow.Wanted(
                        name: add, type: confidential ? .confidential : .public,
                        party: thirdParty ? .third : .first, subjectType: pairwise ? .pairwise : .public,
                        redirectURIs: redirectURIs)
                    let made = try await wiring.adminClientFlow().create(wanted, for: .byOperator, in: scope).value()
                    secret = made.made?.token.secret.revealed
                }
                let rows = try await wiring.database.batch(in: scope) { $0.clients() }.map { client in
                    Row(
                        client: client.id.description, name: client.name, type: client.type.rawValue,
                        party: client.party.rawValue, redirectURIs: client.redirectURIs)
                }
                if let secret { return try say(Made(secret: secret, clients: rows)) }
                try Terminal.sayList(
                    rows, asJSON: output.json, headings: ["CLIENT", "NAME", "TYPE", "PARTY", "REDIRECT URIS"]
                ) {
                    [$0.client, $0.name, $0.type, $0.party, $0.redirectURIs.joined(separator: " ")]
                }
            }
        }

        private func say(_ made: Made) throws {
            if output.json { return try Terminal.sayJSON(made) }
            Terminal.say("client  \(made.clients.last?.client ?? "")")
            Terminal.say("secret  \(made.secret)")
            Terminal.say("It is shown here and never again.")
        }

        private struct Row: Encodable {
            let client: String
            let name: String
            let type: String
            let party: String
            let redirectURIs: [String]
        }

        private struct Made: Encodable {
            let secret: String
            let clients: [Row]
        }
    }

    /// The command `gatepost apps client-secrets APP CLIENT`.
    struct ClientSecrets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the secrets of a confidential client that work; make a new one or revoke one.",
            discussion:
                "With --rotate the secret before works on for a day, or for as long as --old-secret-seconds says.")

        @Argument(help: "The app's id.")
        var app: String
        @Argument(help: "The client's id.")
        var client: String
        @Flag(help: "Make a new secret, which is printed once.")
        var rotate = false
        @Option(help: "How long the old secret works on, 0 to 2,592,000.")
        var oldSecretSeconds: Int64?
        @Option(help: "The id of a secret to revoke at once.")
        var revoke: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let id = ClientID(client) else {
                throw ValidationError("\(client) is not the id of a client (cli_…)")
            }
            let revoked = try revoke.map { text in
                guard let id = ClientSecretID(text) else {
                    throw ValidationError("\(text) is not the id of a secret (cls_…)")
                }
                return id
            }
            let overlap = oldSecretSeconds ?? Lifetimes.clientSecretOverlap.wholeSeconds
            guard (0...Lifetimes.clientSecretOverlapMax.wholeSeconds).contains(overlap) else {
                throw ValidationError("--old-secret-seconds is out of its bounds; see --help")
            }
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: app)
                let flow = try wiring.adminClientFlow()
                if let revoked {
                    _ = try await flow.revokeSecret(revoked, of: id, for: .byOperator, in: scope).value()
                }
                let shown =
                    rotate
                    ? try await flow.rotateSecret(of: id, overlap: .seconds(overlap), for: .byOperator, in: scope)
                        .value()
                    : try await flow.client(id, in: scope)
                guard let shown else { throw ValidationError("the app has no client \(id)") }
                try say(shown)
            }
        }

        private func say(_ shown: AdminClientFlow.Shown) throws {
            let secret = shown.made?.token.secret.revealed
            let rows = shown.secrets.map {
                Row(id: $0.id.description, prefix: $0.prefix, createdAt: $0.createdAt, expiresAt: $0.expiresAt)
            }
            if output.json { return try Terminal.sayJSON(Secrets(secret: secret, secrets: rows)) }
            if let secret { Terminal.say("secret  \(secret)") }
            Terminal.sayTable(
                ["SECRET", "BEGINS WITH", "CREATED", "EXPIRES"],
                rows.map { [$0.id, $0.prefix, $0.createdAt.description, $0.expiresAt?.description ?? ""] })
        }

        private struct Secrets: Encodable {
            let secret: String?
            let secrets: [Row]
        }

        private struct Row: Encodable {
            let id: String
            let prefix: String
            let createdAt: Instant
            let expiresAt: Instant?
        }
    }
}
