import Foundation
import GatepostModel

/// What the pages say, in each language that there is a file for: a language more is a file more.
///
/// A file is one object of texts by name. `{name}` in a text stands for a value; `{app}` is known on every page.
struct PageTexts: Sendable {
    /// The languages that there are.
    let languages: LocaleChoice
    private let texts: [String: [String: String]]
    /// The names of the texts that have a placeholder, so that the others are handed out as they are.
    private let open: [String: [String]]

    /// Reads a folder of files named after their language.
    init(folder: URL) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var texts: [String: [String: String]] = [:]
        for file in files where file.hasSuffix(".json") {
            guard let data = try? Data(contentsOf: folder.appendingPathComponent(file)),
                let read = try? JSONDecoder().decode([String: String].self, from: data)
            else { throw Pages.Unreadable(name: file) }
            texts[String(file.dropLast(".json".count))] = read
        }
        guard texts[LocaleChoice.fallback] != nil else { throw Pages.Unreadable(name: LocaleChoice.fallback) }
        self.texts = texts
        open = texts.mapValues { all in all.filter { $0.value.contains("{") }.map(\.key) }
        languages = LocaleChoice(supported: texts.keys.sorted())
    }

    /// All texts of a language, with values in their places; a placeholder that nothing is known for stays.
    func all(in language: String, _ values: [String: String]) -> [String: String] {
        var all = texts[language] ?? [:]
        for name in open[language] ?? [] {
            if let text = all[name] { all[name] = Self.filled(text, values) }
        }
        return all
    }

    /// One text; nil if there is none of this name.
    func text(_ name: String, in language: String, _ values: [String: String] = [:]) -> String? {
        texts[language]?[name].map { Self.filled($0, values) }
    }

    /// Puts values in, each once: what stands in a value is no placeholder.
    private static func filled(_ text: String, _ values: [String: String]) -> String {
        var filled = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: start)..<end])
            filled += rest[..<start]
            filled += values[name] ?? String(rest[start...end])
            rest = rest[rest.index(after: end)...]
        }
        return filled + rest
    }
}
