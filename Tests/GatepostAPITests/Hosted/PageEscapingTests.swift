import Curl
import GatepostAPI
import GatepostModel
import TestSupport
import Testing

/// What people wrote stands in a page as text, whatever it is.
@Suite("Page escaping")
struct PageEscapingTests {
    /// With a mark behind it, a sign is another character to Swift, and the same sign to a browser.
    static let hostile = ["<", ">", "&", "\"", "'"].flatMap { sign in
        ["", "\u{301}", "\u{200D}", "\u{FE0F}"].map { mark in "start\(sign)\(mark)end" }
    }

    /// How often a text stands in a page, byte for byte.
    private func count(_ text: String, in page: HTTPResponse) -> Int {
        page.body.ranges(of: Array(text.utf8)).count
    }

    private func escaped(_ text: String) -> String {
        let escapes: [Unicode.Scalar: String] = [
            "<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#39;",
        ]
        return text.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
    }

    @Test func `no mail becomes markup of the development pages`() async throws {
        let mails = Self.hostile.enumerated().map { number, text in
            DevMail(
                id: "m\(number)", from: text, to: [text], subject: text, date: TestClock.start,
                text: "\(text) https://a.test/?\(text)", html: text, raw: text)
        }
        try await TestServer.running(devMails: DevMails { mails }) { server in
            let list = try await server.send("GET", "/dev/mails")
            for (number, text) in Self.hostile.enumerated() {
                let page = try await server.send("GET", "/dev/mails/m\(number)")
                #expect(page.status == 200 && list.status == 200)
                // Subject and recipient; on its own page also the title, the sender, the text, the HTML and the source.
                #expect(count(escaped(text), in: list) == 2, "\(text)")
                #expect(count(escaped(text), in: page) >= 7, "\(text)")
                #expect(count(text, in: list) + count(text, in: page) == 0, "\(text)")
            }
        }
    }

    @Test func `no app's name becomes markup of the pages behind a link`() async throws {
        let signs = ["<", ">", "&", "\"", "'"].map { $0 + "\u{301}" }
        try await TestServer.running { server in
            try await server.tamper("update apps set name = $name$\(signs.joined())$name$ where id = \(server.sqlID)")
            let begun = try await server.begin()
            let pages = [
                try await server.send("GET", begun.link, headers: ["Cookie": begun.cookie]),
                try await server.send("GET", begun.link),
                try await server.send("GET", String(begun.link.dropLast())),
            ]
            for page in pages {
                // In the title and above the page.
                #expect(count(escaped(signs.joined()), in: page) >= 2, "\(page.text)")
                for sign in signs { #expect(count(sign, in: page) == 0, "\(sign)") }
            }
        }
    }
}
