import ArgumentParser
import Foundation
import GatepostTelemetry
import Testing

@testable import gatepost

/// The documents that describe the program, held against the program.
@Suite("Documentation")
struct DocumentationTests {
    private func document(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func `the table of settings names each setting once and no other`() throws {
        let rows = try document("docs/operating.md").split(separator: "\n").filter { $0.hasPrefix("| `GATEPOST_") }
        let named = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }

        #expect(named.sorted() == Setting.allCases.map(\.environmentName).sorted())
    }

    @Test func `the tables of metrics name each metric once, with its labels, and no other`() throws {
        let rows = try document("docs/operating.md").split(separator: "\n").filter { $0.hasPrefix("| `gatepost_") }
        let named = rows.flatMap { row in
            (row.split(separator: "|").first ?? "").matches(of: /`(gatepost_[^`]+)`/).map { String($0.1) }
        }

        let known = MetricFamily.all.map { family in
            family.name + (family.labels.isEmpty ? "" : "{\(family.labels.joined(separator: ","))}")
        }
        #expect(named.sorted() == known.sorted())
    }

    @Test func `every command is in the table of commands or in the text`() throws {
        let text = try document("docs/operating.md") + document("README.md") + document("CHANGELOG.md")
        for command in Gatepost.configuration.subcommands {
            let name = try #require(command.configuration.commandName)
            #expect(text.contains("gatepost \(name)") || text.contains("`\(name)`"), "\(name)")
        }
    }

    @Test func `every command says what it does`() {
        for command in Gatepost.configuration.subcommands {
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
    }
}
