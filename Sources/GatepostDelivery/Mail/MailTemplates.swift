import Foundation
import GatepostModel
import Mustache
import Synchronization

/// The texts of the mails that ship with Gatepost: a file a language, such as `en.mails`; another language is another
/// file.
///
/// A line `=== verification text` begins a part of a mail, which goes on until the next such line: `subject`, `text`
/// and `html`, each a Mustache template. What all HTML has in common is in `layout.html`. Values are escaped in the
/// HTML and left alone in the text and the subject, whose header encodes itself.
package struct MailTemplates: Sendable {
    /// The mails that there are.
    package enum Name: String, Sendable, CaseIterable {
        case verification
        case accountExists = "account_exists"
        case auditExportReady = "audit_export_ready"
        case adminInvitation = "admin_invitation"
        case emailSignIn = "email_sign_in"
        case passwordReset = "password_reset"
        case passwordChanged = "password_changed"
        case identityLinked = "identity_linked"
        case identityUnlinked = "identity_unlinked"
        case emailChange = "email_change"
        case emailChanged = "email_changed"
        case factorChanged = "factor_changed"
    }

    /// A template is missing, or there is one too many; the program does not start.
    package struct Flawed: Error, CustomStringConvertible {
        let file: String
        let part: String
        package var description: String { "of the mail templates in \(file), a part is missing or unknown: \(part)" }
    }

    /// What is written to those whose language is not there, or not known.
    package static let fallback = "en"
    private static let suffix = ".mails"
    /// The parts of a mail.
    package static let parts = ["subject", "text", "html"]

    /// The languages that there are, sorted.
    package let languages: [String]
    private let templates: [String: MustacheTemplate]
    private let layout: MustacheTemplate
    private let molds = Molds()

    /// Loads all templates.
    package init() throws {
        let folder = Bundle.module.bundleURL.appendingPathComponent("Templates")
        let entries = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        languages = entries.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }.sorted()
        guard languages.contains(Self.fallback) else { throw Flawed(file: Self.fallback, part: "all of it") }
        let known = Name.allCases.flatMap { name in Self.parts.map { "\(name.rawValue) \($0)" } }
        var templates: [String: MustacheTemplate] = [:]
        for language in languages {
            let file = language + Self.suffix
            let texts = Self.parts(of: try Self.text(file, in: folder))
            if let odd = Set(texts.keys).symmetricDifference(known).min() { throw Flawed(file: file, part: odd) }
            for (part, text) in texts { templates["\(language) \(part)"] = try Self.template(text) }
        }
        self.templates = templates
        layout = try Self.template(try Self.text("layout.html.mustache", in: folder))
    }

    /// The parts of a language's file by what their first lines say, such as `verification text`.
    static func parts(of file: String) -> [String: String] {
        var parts: [String: String] = [:]
        for piece in "\n\(file)".components(separatedBy: "\n=== ").dropFirst() {
            let lines = piece.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let text = lines.count == 2 ? lines[1].trimmingCharacters(in: .newlines) : ""
            parts[String(lines[0])] = text + "\n"
        }
        return parts
    }

    /// The first of some tags whose language there is, by its main part: `de-AT` is written to in `de`.
    package func language(of tags: [String?]) -> String {
        tags.lazy.compactMap(\.self)
            .map { $0.prefix { $0 != "-" }.lowercased() }
            .first(where: languages.contains) ?? Self.fallback
    }

    /// Renders a mail in the first of some languages that there is.
    package func render(_ name: Name, _ values: [String: String], for tags: [String?] = []) -> MailContent {
        let key = Molds.Key(language: language(of: tags), name: name, values: values.keys.sorted())
        let mold = molds.mold(key) { makeMold(key) }
        return MailContent(
            subject: mold.subject.filled(values), text: mold.text.filled(values),
            html: mold.html.filled(values.mapValues { HTMLText($0).escaped }))
    }

    private func makeMold(_ key: Molds.Key) -> Mold {
        let marks = Values(Dictionary(uniqueKeysWithValues: key.values.map { ($0, TextMold.mark($0)) }))
        func rendered(_ part: String) -> String {
            templates["\(key.language) \(key.name.rawValue) \(part)"]?.render(marks) ?? ""
        }
        let subject = rendered("subject").trimmingCharacters(in: .whitespacesAndNewlines)
        let html = layout.render(
            Values(["lang": key.language, "title": subject, "content": rendered("html")]))
        return Mold(
            subject: TextMold(rendered: subject), text: TextMold(rendered: rendered("text")),
            html: TextMold(rendered: html))
    }

    private static func text(_ file: String, in folder: URL) throws -> String {
        guard let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8) else {
            throw Flawed(file: file, part: "all of it")
        }
        return text
    }

    private static func template(_ text: String) throws -> MustacheTemplate {
        // Mustache escapes nothing: what goes into the HTML has been, by scalars and not by characters.
        try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + text)
    }
}

/// The values of a mail, as Mustache looks them up: a type of its own is found as such faster than a dictionary is.
private struct Values: MustacheParent {
    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
    }

    func child(named name: String) -> Any? { values[name] }
}

/// The three parts of a mail.
private struct Mold: Sendable {
    let subject: TextMold
    let text: TextMold
    let html: TextMold
}

/// The molds that have been needed so far: one for each mail, language and set of values, as a section asks only
/// whether a value is there.
private final class Molds: Sendable {
    struct Key: Hashable, Sendable {
        let language: String
        let name: MailTemplates.Name
        /// The values' names, sorted.
        let values: [String]
    }

    private let made = Mutex<[Key: Mold]>([:])

    func mold(_ key: Key, made make: () -> Mold) -> Mold {
        if let mold = made.withLock({ $0[key] }) { return mold }
        let mold = make()
        made.withLock { $0[key] = mold }
        return mold
    }
}
