import Foundation
import Testing

/// docs/abuse-cases.md, held against the tests that it names.
@Suite("Abuse cases")
struct AbuseCaseTests {
    /// The cells of each case.
    private var rows: [[String]] {
        let file = SourceTree.shared.files.first { $0.path == "docs/abuse-cases.md" }
        return (file?.lines ?? []).filter { $0.firstMatch(of: /^\| \d+ \|/) != nil }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// What the tests of the tree are called.
    private var tests: Set<String> {
        let files = SourceTree.shared.swift(below: "Tests/")
        return Set(
            files.flatMap { file in
                file.lines.flatMap { $0.matches(of: /func `([^`]+)`\(/).map { String($0.1) } }
            })
    }

    @Test func `there are thirty, and each says what happened and what is done about it`() {
        #expect(rows.map(\.first) == (1...30).map { "\($0)" })
        for row in rows {
            #expect(row.count >= 3 && row.dropFirst().prefix(2).allSatisfy { !$0.isEmpty }, "\(row)")
        }
    }

    @Test func `each names a test of the tree, but for what is not built`() {
        let tests = tests
        var missing: [String] = []
        for row in rows {
            let named = row.dropFirst(3).joined().matches(of: /`([^`]+)`/).map { String($0.1) }
            if named.isEmpty, !row[2].hasPrefix("not yet") { missing.append("case \(row[0]) names no test") }
            missing += named.filter { !tests.contains($0) }.map { "case \(row[0]): no test is called \($0)" }
        }
        expectNone(missing)
    }
}
