import Foundation
@testable import GatepostDelivery
import Testing

/// The mails that ship, rendered.
struct MailTemplatesTests {
    private let values = [
        "app": "Demo", "address": "person@example.org", "link": "https://auth.example.com/x#t=abc",
        "code": "1234 5678", "hours": "24", "minutes": "10", "days": "7", "when": "2026-03-02 09:00 UTC",
        "role": "auditor", "where": "Other", "exported": "Third", "rows": "12", "format": "csv", "export": "exp_1",
        "expires": "2026-03-09 09:00 UTC", "provider": "Upstream", "enrolled": "yes", "removed": "yes", "reset": "yes",
        "recovery_code_used": "yes", "recovery_codes_replaced": "yes",
    ]

    /// Every mail in every language.
    static let all: [(MailTemplates.Name, String)] = ["en", "de"].flatMap { language in
        MailTemplates.Name.allCases.map { ($0, language) }
    }

    private static let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "../../Sources/GatepostDelivery/Mail/Templates").standardized

    private static func parts(in language: String) throws -> [String: String] {
        MailTemplates.parts(
            of: try String(contentsOf: folder.appending(path: "\(language).mails"), encoding: .utf8))
    }

    /// The names between braces, sections too.
    private static func placeholders(_ language: String, _ part: String) throws -> Set<String> {
        let text = try #require(try parts(in: language)[part], "\(language): \(part)")
        return Set(text.matches(of: #/\{\{([^}]+)\}\}/#).map { String($0.1) })
    }

    @Test func `every language has the same mails with the same placeholders, each of which has a value`() throws {
        let languages = try MailTemplates().languages
        #expect(languages == ["de", "en"])
        let english = Set(try Self.parts(in: "en").keys)
        #expect(
            english
                == Set(
                    MailTemplates.Name.allCases.flatMap { mail in
                        MailTemplates.parts.map { "\(mail.rawValue) \($0)" }
                    }))
        for language in languages {
            #expect(Set(try Self.parts(in: language).keys) == english, "\(language)")
            for part in english {
                let found = try Self.placeholders(language, part)
                #expect(found == (try Self.placeholders("en", part)), "\(language): \(part)")
                #expect(found.allSatisfy { values[$0.trimmingCharacters(in: ["#", "/", "^"])] != nil }, "\(part)")
            }
        }
    }

    @Test func `a text says what its page says: the same values in both`() throws {
        for part in try Self.parts(in: "en").keys where part.hasSuffix(" text") {
            let page = part.dropLast(4) + "html"
            for language in ["en", "de"] {
                #expect(try Self.placeholders(language, part) == Self.placeholders(language, String(page)), "\(part)")
            }
        }
    }

    @Test func `a file is its parts, without the empty lines around them`() {
        let parts = MailTemplates.parts(of: "=== a subject\nOne\n\n=== a text\n\nTwo\n\nThree == 3\n\n\n=== b html\n")
        #expect(parts == ["a subject": "One\n", "a text": "Two\n\nThree == 3\n", "b html": "\n"])
    }

    @Test(arguments: [
        (["de-AT", "en"], "de"), (["fr", nil, "de"], "de"), ([nil], "en"), (["DE"], "de"), (["../en", "xx"], "en"),
    ])
    func `the first language that there is is written in`(tags: [String?], language: String) throws {
        let templates = try MailTemplates()
        #expect(templates.language(of: tags) == language)
        let html = templates.render(.verification, values, for: tags).html
        #expect(html.contains("<html lang=\"\(language)\">"))
    }

    @Test func `an invitation for all apps says so in its own language`() throws {
        var values = values
        values["where"] = nil
        let templates = try MailTemplates()
        #expect(templates.render(.adminInvitation, values).text.contains("all apps"))
        #expect(templates.render(.adminInvitation, values, for: ["de"]).text.contains("alle Apps"))
    }

    @Test(arguments: Self.all)
    func `every mail has a one-line subject, a text and a page, and leaves no tag open`(
        name: MailTemplates.Name, language: String
    ) throws {
        let mail = try MailTemplates().render(name, values, for: [language])
        #expect(!mail.subject.isEmpty && !mail.subject.contains { $0.isNewline } && mail.subject.contains("Demo"))
        for part in [mail.subject, mail.text, mail.html] { #expect(!part.contains("{{") && !part.contains("}}")) }
        #expect(mail.text.first?.isWhitespace == false)
        for part in [mail.text, mail.html] { #expect(part.contains("Demo") && part.contains("person@example.org")) }
        #expect(mail.html.contains("<html lang=\"\(language)\">") && mail.html.contains("prefers-color-scheme: dark"))
        #expect(!mail.html.contains("<img") && !mail.html.contains("src=") && !mail.html.contains("url("))
    }

    @Test func `the verification carries link, code and hours in both parts`() throws {
        let mail = try MailTemplates().render(.verification, values)
        for part in [mail.text, mail.html] {
            #expect(part.contains("https://auth.example.com/x#t=abc") && part.contains("1234 5678"))
            #expect(part.contains("24 hours"))
        }
        #expect(mail.html.contains("href=\"https://auth.example.com/x#t=abc\""))
    }

    @Test func `an existing account's mail carries no link and no code`() throws {
        let mail = try MailTemplates().render(.accountExists, values)
        for part in [mail.subject, mail.text, mail.html] {
            #expect(!part.contains("1234") && !part.contains("auth.example.com"))
        }
    }

    @Test(arguments: ["<script>", "\"><a href=x>", "'", "&", "<\u{301}script>", "\"\u{301}x", "&\u{301}", "<\u{200d}b"])
    func `a value cannot become markup, and in the text it stays as it is`(hostile: String) throws {
        var values = values
        for key in ["app", "address", "link"] { values[key] = "start\(hostile)end" }
        for (name, language) in Self.all {
            let mail = try MailTemplates().render(name, values, for: [language])
            #expect(mail.text.unicodeScalars.contains("start\(hostile)end".unicodeScalars))
            #expect(mail.subject.unicodeScalars.contains("start\(hostile)end".unicodeScalars))
            // By scalars: a browser knows no grapheme clusters, so a mark after the sign must not shield it.
            let escapes: [Unicode.Scalar: String] = [
                "<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#39;",
            ]
            let escaped = hostile.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
            #expect(mail.html.unicodeScalars.contains("start\(escaped)end".unicodeScalars), "\(mail.html)")
        }
    }
}
