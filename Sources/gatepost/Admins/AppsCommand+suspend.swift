import ArgumentParser
import GatepostFlows
import GatepostModel

extension AppsCommand {
    /// The command `gatepost apps suspend APP`.
    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let every route of an app refuse, until it is resumed.",
            discussion: "Takes effect within a second. Nothing is ended; what falls due meanwhile is not sent.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "Why, for the audit trail.")
        var note: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: app)
                let outcome = try await wiring.adminAppFlow().suspend(note: note, for: .byOperator, in: scope)
                try Terminal.sayDone("suspended", outcome.value(), asJSON: output.json)
            }
        }
    }

    /// The command `gatepost apps resume APP`.
    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a suspended app go on.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "Why, for the audit trail.")
        var note: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: app)
                let outcome = try await wiring.adminAppFlow().resume(note: note, for: .byOperator, in: scope)
                try Terminal.sayDone("resumed", outcome.value(), asJSON: output.json)
            }
        }
    }
}
