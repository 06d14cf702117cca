import Foundation
import GatepostModel
import Mustache

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
        let language = language(of: tags)
        func text(_ part: String, _ values: [String: String]) -> String {
            templates[Self.file(language, name, part)]?.render(Values(values)) ?? ""
        }
        let escaped = values.mapValues { HTMLText($0).escaped }
        let title = text("subject", escaped).trimmingCharacters(in: .whitespacesAndNewlines)
        let html = layout.render(
            Values(["lang": language, "title": title, "content": text("html", escaped)]))
        return MailContent(
            subject: text("subject", values).trimmingCharacters(in: .whitespacesAndNewlines),
            text: text("text", values), html: html)
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
