import ArgumentParser
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost keys`: key-encryption keys and the apps' signing keys.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make a key-encryption key; list an app's signing keys, revoke one.",
        subcommands: [Generate.self, List.self, Revoke.self])

    /// The command `gatepost keys generate`.
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new entry for GATEPOST_KEY_ENCRYPTION_KEYS.",
            discussion: """
                Put the entry in front of those that are set and restart: new values are sealed under it, the others
                still open. The epoch must be one that has never been used.
                """)

        @Option(help: "The number that rows refer to it by, 1 to 32767.")
        var epoch: Int16 = 1

        func validate() throws {
            guard epoch > 0 else { throw ValidationError("an epoch is a number from 1 to 32767") }
        }

        func run() async throws {
            Terminal.say("\(epoch):\(Data(SystemRandom().bytes(32)).base64EncodedString())")
        }
    }

    /// The command `gatepost keys list APP`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an app's published signing keys.")

        @Argument(help: "The app's id.")
        var app: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                let rows = try await wiring.database.batch(in: scope) { $0.signingKeys() }.map(Row.init)
                try Terminal.sayList(
                    rows, asJSON: output.json,
                    headings: ["KEY", "ALGORITHM", "STATE", "CREATED", "ACTIVATED", "RETIRED"]
                ) { row in
                    [
                        row.key, row.algorithm.rawValue, row.state.rawValue, row.createdAt.description,
                        row.activatedAt?.description ?? "-", row.retiredAt?.description ?? "-",
                    ]
                }
            }
        }

        private struct Row: Encodable {
            let key: String
            let algorithm: SigningAlgorithm
            let state: SigningKeyRecord.State
            let createdAt: Instant
            let activatedAt: Instant?
            let retiredAt: Instant?

            init(_ record: SigningKeyRecord) {
                key = record.id.description
                (algorithm, state) = (record.algorithm, record.state)
                (createdAt, activatedAt, retiredAt) = (record.createdAt, record.activatedAt, record.retiredAt)
            }
        }
    }

    /// The command `gatepost keys revoke APP KEY`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw a signing key that may have been stolen, at once.",
            discussion: """
                Every token that the key has signed is refused: here within 5 seconds, elsewhere once a verifier
                fetches the key set again (it may keep one for 5 minutes). If it was the active key, a new one of its
                algorithm signs. Sessions go on: the next refresh gives a token of the new key.
                """)

        @Argument(help: "The app's id.")
        var app: String
        @Argument(help: "The key's id, as gatepost keys list shows it.")
        var key: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let id = SigningKeyID(key) else { throw ValidationError("\(key) is not the id of a key (key_…)") }
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: app)
                let flow = SigningKeyFlow(clock: wiring.clock, random: wiring.random, keys: try wiring.keyRing())
                guard try await flow.revoke(id, on: wiring.database, in: scope) else {
                    throw ValidationError("the app has no key \(id)")
                }
                try Terminal.sayDone("revoked", id, asJSON: output.json)
            }
        }
    }
}
