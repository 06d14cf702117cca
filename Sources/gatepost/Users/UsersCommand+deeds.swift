import ArgumentParser
import GatepostFlows
import GatepostModel

extension UsersCommand {
    /// The command `gatepost users deactivate APP USER`.
    struct Deactivate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a user out: sessions, tokens, codes and links end at once.",
            discussion: "An access token that is out lives on for its few minutes, unless it is introspected.")

        @OptionGroup var target: UserTarget
        @Option(help: "Why, for the audit trail.")
        var note: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: target.app)
                let id = try await target.id(wiring, in: scope)
                let outcome = try await wiring.adminUserFlow().deactivate(
                    id, note: note, for: .byOperator, in: scope)
                try Terminal.sayDone("deactivated", outcome.value(), asJSON: output.json)
            }
        }
    }

    /// The command `gatepost users reactivate APP USER`.
    struct Reactivate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a deactivated user sign in again; what ended stays ended.")

        @OptionGroup var target: UserTarget
        @Option(help: "Why, for the audit trail.")
        var note: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: target.app)
                let id = try await target.id(wiring, in: scope)
                let outcome = try await wiring.adminUserFlow().reactivate(
                    id, note: note, for: .byOperator, in: scope)
                try Terminal.sayDone("reactivated", outcome.value(), asJSON: output.json)
            }
        }
    }

    /// The command `gatepost users sign-out APP USER`.
    struct SignOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End all sessions of a user, who may sign in again.")

        @OptionGroup var target: UserTarget
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: target.app)
                let id = try await target.id(wiring, in: scope)
                let outcome = try await wiring.adminSessionFlow().endAll(of: id, for: .byOperator, in: scope)
                try Terminal.sayDone("signed out", outcome.value(), asJSON: output.json)
            }
        }
    }
}
