import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore

/// `gatepost outbox`: what is owed and what became of it.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "Show what an app is owed and what became of it, and step in.",
        subcommands: [
            List.self, Show.self, Cancel.self, Hold.self, Release.self, Resend.self, Redrive.self,
        ])

    /// The command `gatepost outbox list APP`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an app's messages, newest first.")

        @Argument(help: "The app's id.")
        var app: String
        @OptionGroup var messages: MessageOptions
        @Option(help: "Only to this user.")
        var user: String?
        @Option(help: "Only to this address; needs the key-encryption keys.")
        var address: String?
        @Option(help: "How many rows at most, 1 to 1000.")
        var limit = 100
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var filter = try messages.filter()
            filter.user = try user.map { text in
                guard let id = UserID(text) else { throw ValidationError("\(text) is not the id of a user") }
                return id
            }
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
            try await Wiring.withOperator(address == nil ? .database : .keys) { wiring in
                let scope = try await wiring.scope(of: app)
                filter.address = try address.map { text in
                    guard let address = EmailAddress(text) else { throw ValidationError("\(text) is no address") }
                    return LedgerAddress(address, in: scope.appID, keys: try wiring.keyRing())
                }
                let entries = try await wiring.deliveryFlow().deliveries(
                    filter, after: nil, limit: limit, in: scope)
                try Terminal.sayList(
                    entries, asJSON: output.json,
                    headings: ["MESSAGE", "KIND", "STATE", "ATTEMPTS", "CREATED", "LAST REPLY"]
                ) { entry in
                    [
                        entry.id.description, entry.kind, entry.state, "\(entry.attemptCount)",
                        entry.createdAt.description, entry.lastReply ?? entry.reason ?? "-",
                    ]
                }
            }
        }
    }

    /// The command `gatepost outbox show APP MESSAGE`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one message with each try and the server's own words.")

        @Argument(help: "The app's id.")
        var app: String
        @Argument(help: "The message's id.")
        var message: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let id = MessageID(message) else { throw ValidationError("\(message) is not the id of a message") }
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                guard
                    let history = try await wiring.database.batch(
                        in: scope, { $0.ledgerHistory(of: id, at: wiring.clock.now) })
                else {
                    throw ValidationError("there is no message \(id) in this app")
                }
                if output.json { return try Terminal.sayJSON(history) }
                let entry = history.entry
                Terminal.say("\(entry.id)  \(entry.kind)  \(entry.state)\(entry.reason.map { " (\($0))" } ?? "")")
                Terminal.say("trace \(entry.traceID)")
                if let earlier = entry.replayOf { Terminal.say("owes anew \(earlier)") }
                for replay in history.replays { Terminal.say("owed anew by \(replay.id)") }
                Terminal.sayTable(
                    ["TRY", "OUTCOME", "CODE", "ENDED", "REPLY"],
                    history.attempts.map { attempt in
                        [
                            "\(attempt.claimNumber)", attempt.outcome.rawValue, attempt.code.map { "\($0)" } ?? "-",
                            attempt.endedAt.description, attempt.reply,
                        ]
                    })
            }
        }
    }
}
