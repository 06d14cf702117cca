import Foundation
import GatepostModel
import Mustache

/// The texts of the mails that ship with Gatepost, a folder a language.
///
/// A mail is three files: `NAME.subject`, `NAME.text` and `NAME.html`, each a Mustache template. Values are
/// escaped in the HTML and left alone in the text and the subject, whose header encodes itself.
package struct MailTemplates: Sendable {
    /// The mails that there are.
    package enum Name: String, Sendable, CaseIterable {
        case verification
        case accountExists = "account_exists"
        case auditExportReady = "audit_export_ready"
        case adminInvitation = "admin_invitation"
    }

    /// A template is missing or does not parse; the program does not start.
    package struct Missing: Error, CustomStringConvertible {
        let file: String
        package var description: String { "the mail template \(file) is missing" }
    }

    private let templates: [String: MustacheTemplate]

    /// Loads all templates.
    package init() throws {
        let folder = Bundle.module.bundleURL.appendingPathComponent("Templates/en")
        var templates: [String: MustacheTemplate] = [:]
        for name in Name.allCases {
            for part in ["subject", "text", "html"] {
                let file = "\(name.rawValue).\(part).mustache"
                guard let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8) else {
                    throw Missing(file: file)
                }
                // Mustache escapes nothing: what goes into the HTML has been, by scalars and not by characters.
                let plain = "{{% CONTENT_TYPE:TEXT}}\n"
                templates["\(name.rawValue).\(part)"] = try MustacheTemplate(string: plain + text)
            }
        }
        self.templates = templates
    }

    /// Renders a mail.
    package func render(_ name: Name, _ values: [String: String]) -> MailContent {
        func text(_ part: String, _ values: [String: String]) -> String {
            templates["\(name.rawValue).\(part)"]?.render(Values(values)) ?? ""
        }
        return MailContent(
            subject: text("subject", values).trimmingCharacters(in: .whitespacesAndNewlines),
            text: text("text", values), html: text("html", values.mapValues { HTMLText($0).escaped }))
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
