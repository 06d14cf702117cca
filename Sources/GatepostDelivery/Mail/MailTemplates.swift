import Foundation
import GatepostModel
import Mustache
import Synchronization

/// The texts of the mails that ship with Gatepost: a folder a language, in it a folder a mail.
///
/// A mail is three files: `subject`, `text` and `html`, each a Mustache template; what all pages have in common is in
/// `layout.html`. Values are escaped in the HTML and left alone in the text and the subject, whose header encodes
/// itself. Another language is another folder.
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
        case emailChange = "email_change"
        case emailChanged = "email_changed"
    }

    /// A template is missing or does not parse; the program does not start.
    package struct Missing: Error, CustomStringConvertible {
        let file: String
        package var description: String { "the mail template \(file) is missing" }
    }

    /// What is written to those whose language is not there, or not known.
    package static let fallback = "en"
    /// The files of a mail.
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
        languages = entries.filter { !$0.contains(".") }.sorted()
        guard languages.contains(Self.fallback) else { throw Missing(file: Self.fallback) }
        var templates: [String: MustacheTemplate] = [:]
        for language in languages {
            for name in Name.allCases {
                for part in Self.parts {
                    let file = Self.file(language, name, part)
                    templates[file] = try Self.template(file, in: folder)
                }
            }
        }
        self.templates = templates
        layout = try Self.template("layout.html.mustache", in: folder)
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
            templates[Self.file(key.language, key.name, part)]?.render(marks) ?? ""
        }
        let subject = rendered("subject").trimmingCharacters(in: .whitespacesAndNewlines)
        let html = layout.render(
            Values(["lang": key.language, "title": subject, "content": rendered("html")]))
        return Mold(
            subject: TextMold(rendered: subject), text: TextMold(rendered: rendered("text")),
            html: TextMold(rendered: html))
    }

    private static func file(_ language: String, _ name: Name, _ part: String) -> String {
        "\(language)/\(name.rawValue)/\(part).mustache"
    }

    private static func template(_ file: String, in folder: URL) throws -> MustacheTemplate {
        guard let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8) else {
            throw Missing(file: file)
        }
        // Mustache escapes nothing: what goes into the HTML has been, by scalars and not by characters.
        return try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + text)
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
