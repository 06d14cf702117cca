import GatepostDelivery
import Testing

/// The mails that ship, rendered.
struct MailTemplatesTests {
    private let values = [
        "app": "Demo", "address": "person@example.org", "link": "https://auth.example.com/x#t=abc",
        "code": "1234 5678", "hours": "24",
    ]

    @Test(arguments: MailTemplates.Name.allCases)
    func `every mail has a one-line subject, a text and a page, and leaves no tag open`(
        name: MailTemplates.Name
    ) throws {
        let mail = try MailTemplates().render(name, values)
        #expect(!mail.subject.isEmpty && !mail.subject.contains { $0.isNewline } && mail.subject.contains("Demo"))
        for part in [mail.subject, mail.text, mail.html] { #expect(!part.contains("{{") && !part.contains("}}")) }
        #expect(mail.text.first?.isWhitespace == false)
        for part in [mail.text, mail.html] { #expect(part.contains("Demo") && part.contains("person@example.org")) }
        #expect(mail.html.contains("<html lang=\"en\">") && mail.html.contains("prefers-color-scheme: dark"))
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
        for name in MailTemplates.Name.allCases {
            let mail = try MailTemplates().render(name, values)
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
