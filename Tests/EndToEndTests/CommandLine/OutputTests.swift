import Foundation
import GatepostDev
import Testing

/// How commands speak to scripts.
@Suite("gatepost: output")
struct OutputTests {
    /// What ArgumentParser says of the whole command line.
    private struct Dump: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                let name: String
            }

            let names: [Name]?
        }

        let commandName: String
        let subcommands: [Command]?
        let arguments: [Argument]?

        /// Each command that does something, by its whole name, and whether it takes `--json`.
        func leaves(below names: [String] = []) -> [(name: String, takesJSON: Bool)] {
            let names = names + [commandName]
            guard let subcommands, !subcommands.isEmpty else {
                let options = (arguments ?? []).flatMap { $0.names ?? [] }.map(\.name)
                return [(names.dropFirst().joined(separator: " "), options.contains("json"))]
            }
            return subcommands.filter { $0.commandName != "help" }.flatMap { $0.leaves(below: names) }
        }
    }

    /// They run on, or print what is pasted as it is.
    private static let withoutData: Set = ["serve", "work", "dev", "keys generate"]

    @Test func `every command takes --json but those that print no data`() async throws {
        let outcome = try await Program.run(["--experimental-dump-help"], environment: [:])
        try #require(outcome.exit == .done, "\(outcome.errors)")
        let leaves = try outcome.json(as: Dump.self).command.leaves()

        #expect(leaves.count > 30)
        #expect(Set(leaves.filter { !$0.takesJSON }.map(\.name)) == Self.withoutData)
    }
}
