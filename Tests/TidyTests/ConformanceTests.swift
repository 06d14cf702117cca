import Foundation
import Testing

/// docs/conformance.md, held against the tests that it names.
@Suite("Conformance")
struct ConformanceTests {
    private static let sections = [
        "OpenID Connect: basic profile", "OpenID Connect: config profile", "OpenID Connect: RP-initiated logout",
        "OpenID Connect: form-post profile", "OAuth 2.1, and RFC 9700",
    ]

    /// The cells of each row below a heading.
    private func rows(below heading: String) -> [[String]] {
        let file = SourceTree.shared.files.first { $0.path == "docs/conformance.md" }
        let after = (file?.lines ?? []).drop { $0 != "## \(heading)" }.dropFirst()
        return after.prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// What the tests of the tree are called.
    private var tests: Set<String> {
        Set(
            SourceTree.shared.swift(below: "Tests/").flatMap { file in
                file.lines.flatMap { $0.matches(of: /func `([^`]+)`\(/).map { String($0.1) } }
            })
    }

    @Test func `each profile has rows, and each row says what is so`() {
        for section in Self.sections {
            let rows = rows(below: section)
            #expect(!rows.isEmpty, "\(section)")
            for row in rows {
                #expect(row.count == 3 && row.prefix(2).allSatisfy { !$0.isEmpty }, "\(section): \(row)")
            }
        }
    }

    @Test func `each row names tests of the tree, but for what is not met or left out`() {
        let tests = tests
        var missing: [String] = []
        for row in Self.sections.flatMap(rows) where row.count == 3 {
            let named = row[2].matches(of: /`([^`]+)`/).map { String($0.1) }
            let isReason = row[1].hasPrefix("not met: ") || row[1].hasPrefix("left out: ")
            if named.isEmpty, !isReason { missing.append("no test is named for: \(row[0])") }
            missing += named.filter { !tests.contains($0) }.map { "\(row[0]): no test is called \($0)" }
        }
        expectNone(missing)
    }

    @Test func `each client names tests of the tree`() {
        let file = SourceTree.shared.files.first { $0.path == "docs/conformance.md" }
        let rows = (file?.lines ?? []).prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| ") }.dropFirst()
        let named = rows.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.1) } }
        #expect(rows.count >= 6 && named.count == rows.count)
        expectNone(named.filter { !tests.contains($0) })
    }
}
