import Foundation
import GatepostModel
import Testing

/// The texts of the pages against one another and against what uses them.
@Suite("Page texts")
struct PageTextsTests {
    private static let pages = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/GatepostAPI")

    private static func texts() throws -> [String: [String: String]] {
        let folder = pages.appending(path: "Pages/Texts")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return try Dictionary(
            uniqueKeysWithValues: files.map { file in
                let data = try Data(contentsOf: folder.appending(path: file))
                return (file, try JSONDecoder().decode([String: String].self, from: data))
            })
    }

    /// Every file below the API's folder with one of these endings.
    private static func sources(_ endings: [String]) throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: pages.path(percentEncoded: false))
        return try paths.filter { path in endings.contains { path.hasSuffix($0) } }.map {
            try String(contentsOf: pages.appending(path: $0), encoding: .utf8)
        }
    }

    private static func placeholders(_ text: String) -> [String] {
        text.matches(of: /\{\w+\}/).map { String($0.0) }.sorted()
    }

    @Test func `all languages have the same texts with the same placeholders`() throws {
        let texts = try Self.texts()
        let english = try #require(texts["en.json"])
        #expect(texts.count >= 2)
        for (file, other) in texts {
            #expect(Set(other.keys) == Set(english.keys), "\(file)")
            for (key, text) in other {
                #expect(!text.isEmpty)
                #expect(Self.placeholders(text) == Self.placeholders(english[key] ?? ""), "\(file) \(key)")
                #expect(!text.contains("<"), "\(file) \(key) has markup, which is shown as text")
            }
        }
    }

    @Test func `a file says each text once, in the order of the English one`() throws {
        var orders: [String: [String]] = [:]
        for file in try Self.texts().keys {
            let text = try String(contentsOf: Self.pages.appending(path: "Pages/Texts/\(file)"), encoding: .utf8)
            let keys = text.split(separator: "\n").compactMap { $0.firstMatch(of: #/^ {2}"(\w+)":/#)?.1 }.map(
                String.init)
            #expect(Set(keys).count == keys.count, "\(file)")
            orders[file] = keys
        }
        #expect(Set(orders.values).count == 1)
    }

    @Test func `every detail of a problem has its words in each language`() throws {
        for (file, texts) in try Self.texts() {
            for detail in ProblemDetail.allCases {
                #expect(texts["\(detail.code.rawValue)_\(detail.rawValue)"] != nil, "\(file) \(detail)")
            }
        }
    }

    @Test func `every text that is used is there, and every one that is there is used`() throws {
        let english = try #require(try Self.texts()["en.json"])
        let inTemplates = try Self.sources([".mustache"]).flatMap { text in
            text.matches(of: /\{\{[#^\/]?t\.(\w+)\}\}/).map { String($0.1) }
        }
        let inCode = try Self.sources([".swift"]).flatMap { text in
            text.matches(of: /text\(\s*"(\w+)"/).map { String($0.1) }
        }
        let used = Set(inTemplates + inCode)
        #expect(used.subtracting(english.keys) == [], "used and not there")
        let codes = Set(ProblemCode.allCases.map { "problem_\($0.rawValue)" })
        let left = Set(english.keys).subtracting(used).filter { key in
            !codes.contains(key) && !ProblemCode.allCases.contains { key.hasPrefix("\($0.rawValue)_") }
        }
        #expect(left == [], "there and not used")
    }
}
