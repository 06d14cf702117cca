import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

extension ClientsCommand {
    /// The command `gatepost clients secrets APP CLIENT`.
    struct Secrets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the secrets of a confidential client that work; make a new one or revoke one.",
            discussion:
                "With --rotate the secret before works on for a day, or for as long as --old-secret-seconds says.")

        @OptionGroup var target: ClientTarget
        @Flag(help: "Make a new secret, which is printed once.")
        var rotate = false
        @Option(help: "How long the old secret works on, 0 to 2,592,000.")
        var oldSecretSeconds: Int64?
        @Option(help: "The id of a secret to revoke at once.")
        var revoke: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let id = try target.id()
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
                let scope = try await wiring.scope(of: target.app)
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
            if output.json { return try Terminal.sayJSON(All(secret: secret, secrets: rows)) }
            if let secret { Terminal.say("secret  \(secret)") }
            Terminal.sayTable(
                ["SECRET", "BEGINS WITH", "CREATED", "EXPIRES"],
                rows.map { [$0.id, $0.prefix, $0.createdAt.description, $0.expiresAt?.description ?? ""] })
        }

        private struct All: Encodable {
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
