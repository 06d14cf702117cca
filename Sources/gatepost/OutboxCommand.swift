import ArgumentParser
import GatepostModel
import GatepostOutbox
import GatepostStore

/// `gatepost outbox`: what is owed and what became of it.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "Show what an app is owed, and what became of it.",
        subcommands: [List.self, Show.self])

    /// The command `gatepost outbox list APP`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an app's messages, newest first.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "Only messages in this state: \(LedgerState.allCases.map(\.rawValue).joined(separator: ", ")).")
        var state: String?
        @Option(help: "How many rows at most, 1 to 1000.")
        var limit = 100
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let state = try self.state.map { text in
                guard let state = LedgerState(rawValue: text) else { throw ValidationError("no such state: \(text)") }
                return state
            }
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                let entries = try await wiring.database.batch(in: scope) { $0.ledger(state, limit: limit) }
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
                guard let history = try await wiring.database.batch(in: scope, { $0.ledgerHistory(of: id) }) else {
                    throw ValidationError("there is no message \(id) in this app")
                }
                if output.json { return try Terminal.sayJSON(history) }
                let entry = history.entry
                Terminal.say("\(entry.id)  \(entry.kind)  \(entry.state)\(entry.reason.map { " (\($0))" } ?? "")")
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
