import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

extension AdminsCommand {
    /// The command `gatepost admins second-factor required|optional`.
    struct SecondFactor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "second-factor", abstract: "Say whether admins must prove a second factor.",
            discussion: """
                They must unless it is lifted here: for an owner who has lost authenticator and recovery codes, say. \
                Whoever has one is asked for it either way.
                """)

        /// What an operator may say.
        enum Demand: String, ExpressibleByArgument, CaseIterable {
            case required, optional
        }

        @Argument(help: "required or optional.")
        var demand: Demand
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var settings = AppSettings()
            settings.requireSecondFactor = demand == .required
            let change = AppChange(settings: settings)
            try await Wiring.withOperator(.keys) { wiring in
                guard let scope = try await wiring.database.scope(of: .gatepost) else {
                    throw ValidationError("the built-in app is missing; run gatepost migrate")
                }
                _ = try await wiring.adminAppFlow().change(change, for: .byOperator, in: scope).value()
                try Terminal.sayDone("second factor of admins", demand.rawValue, asJSON: output.json)
            }
        }
    }
}
