import Foundation
import GatepostDelivery
import GatepostModel
import TestSupport
import Testing

/// A mail's bytes, read by Python's `email` package, which we did not write.
@Suite(.timeLimit(.minutes(2)))
struct MailMessageTests {
    /// What Python's parser, under its strict default policy, sees in a mail.
    struct Parsed: Decodable {
        let headers: [[String]]
        let defects: [String]
        let subject: String
        let fromName: String
        let fromAddress: String
        let to: [String]
        let date: Double
        let types: [String]
        let text: String
        let html: String
    }

    private static let parser = """
        import email, json, sys
        from email.header import decode_header, make_header
        from email.policy import default
        def parse(raw):
            mail = email.message_from_bytes(raw, policy=default)
            # The new policy puts spaces between the encoded words of a name (RFC 2047, section 6.2, says none).
            sender = email.message_from_bytes(raw)["From"].replace("\\r\\n", "")
            name = str(make_header(decode_header(sender))).rpartition(" <")[0]
            body = lambda kind: mail.get_body((kind,)).get_content().replace("\\r\\n", "\\n")
            parts = list(mail.walk())
            defects = [str(d) for p in parts for d in p.defects]
            defects += [str(d) for v in mail.values() for d in getattr(v, "defects", [])]
            return {
                "headers": [[k, str(v)] for k, v in mail.items()], "defects": defects, "subject": mail["Subject"],
                "fromName": name, "fromAddress": mail["From"].addresses[0].addr_spec,
                "to": [a.addr_spec for a in mail["To"].addresses], "date": mail["Date"].datetime.timestamp(),
                "types": [p.get_content_type() for p in parts], "text": body("plain"), "html": body("html"),
            }
        json.dump([parse(bytes(mail)) for mail in json.load(sys.stdin)], sys.stdout)
        """

    /// Parses all mails in one run, because a start of Python costs more than its work.
    static func parse(_ mails: [MailMessage]) async throws -> [Parsed] {
        let json = try await OutsideProgram.runPython(parser, input: Array(JSONEncoder().encode(mails.map(\.bytes))))
        return try JSONDecoder().decode([Parsed].self, from: Data(json))
    }

    static func mail(
        name: String = "Demo", subject: String = "Hello", text: String = "Hi\n", html: String = "<p>Hi</p>\n"
    ) throws -> MailMessage {
        MailMessage(
            from: MailSender(name: name, address: try #require(EmailAddress("no-reply@mail.example.com"))),
            to: try #require(EmailAddress("person+tag@example.org")),
            messageID: MessageID(uuid: UUIDBits(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)),
            date: now, content: MailContent(subject: subject, text: text, html: html))
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    }

    @Test func `a mail has the headers, parts and values that it was given`() async throws {
        let mail = try Self.mail(text: "Zeile 1\n\nZeile drei: äöü €\n", html: "<p>äöü &amp; €</p>\n")
        let parsed = try #require(try await Self.parse([mail]).first)
        #expect(parsed.defects.isEmpty && parsed.subject == "Hello")
        #expect(parsed.fromName == "Demo" && parsed.fromAddress == "no-reply@mail.example.com")
        #expect(parsed.to == ["person+tag@example.org"] && parsed.date == Double(now.seconds))
        #expect(parsed.types == ["multipart/alternative", "text/plain", "text/html"])
        #expect(parsed.text.hasPrefix("Zeile 1\n\nZeile drei: äöü €\n"))
        #expect(parsed.html.hasPrefix("<p>äöü &amp; €</p>\n"))
        let headers = Dictionary(parsed.headers.map { ($0[0], $0[1]) }) { first, _ in first }
        #expect(headers["Auto-Submitted"] == "auto-generated" && headers["MIME-Version"] == "1.0")
        #expect(headers["Message-ID"] == "<\(mail.messageID)>" && mail.messageID.hasSuffix("@mail.example.com"))
    }

    private static let hostile = [
        "\r\nBcc: evil@example.net", "\nBcc: evil@example.net", "\rBcc: evil@example.net", "a\r\n\r\nbody",
        "\" <evil@example.net>, \"", "<evil@example.net>", "a, evil@example.net", "=?utf-8?q?=0D=0ABcc=3A_evil?=",
        "a\u{0}b", "\u{2028}Bcc: evil@example.net", "\u{85}Bcc: evil@example.net", "\u{b}Bcc: x", "\u{c}Bcc: x",
        "(comment)", "a;b:c", "\\", "\"", " ", "", "\t", "=?utf-8?b?", "é\r\n\tBcc: evil@example.net",
    ]

    @Test func `no name or subject adds a header, an address or a body`() async throws {
        let mails = try Self.hostile.map { try Self.mail(name: $0, subject: $0) }
        for (mail, parsed) in zip(mails, try await Self.parse(mails)) { expectOnlyOurHeaders(mail, parsed) }
    }

    private func expectOnlyOurHeaders(_ mail: MailMessage, _ parsed: Parsed) {
        let names = parsed.headers.map { $0[0] }
        #expect(
            names == [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
            ])
        #expect(parsed.fromAddress == "no-reply@mail.example.com" && parsed.to == ["person+tag@example.org"])
        #expect(parsed.types.count == 3 && parsed.text.hasPrefix("Hi"))
        // On the wire, too, a line of the header is a known one or goes on from one.
        let head = Self.lines(mail.bytes).prefix { !$0.isEmpty }
        #expect(head.allSatisfy { line in line.hasPrefix(" ") || names.contains { line.hasPrefix("\($0):") } })
    }

    private static let anyScript = [
        "Bestätige deine Adresse", String(repeating: "日本語の件名", count: 60), String(repeating: "a", count: 1200),
        String(repeating: "word ", count: 200) + "end", "👩‍👩‍👧‍👦 family 👩‍👩‍👧‍👦", "a =?utf-8?q?x?= b", "x\u{301}y",
        "two  spaces", "trailing ", " leading",
    ]

    @Test func `a subject and a name of any script and length come back whole, on short lines`() async throws {
        let mails = try Self.anyScript.map { try Self.mail(name: $0, subject: $0) }
        for ((text, mail), parsed) in zip(zip(Self.anyScript, mails), try await Self.parse(mails)) {
            #expect(parsed.subject == text && parsed.fromName == text)
            #expect(Self.lines(mail.bytes).allSatisfy { $0.utf8.count <= 78 })
        }
    }

    private static let bodies = [
        ".", "..\n.\n", "a\n.\nb", "\n.\n\n", "a\r\nb", "a\rb", "From here\n", String(repeating: "x", count: 5000),
        String(repeating: "é", count: 3000), "trailing space \nand tab\t\n", "a=3D=\n=", "--=_boundary\n--", "a\0b",
        String(repeating: "yz ", count: 1000), "\u{2028}\u{85}", String(repeating: "x", count: 75) + ".",
    ]

    @Test func `a body of any content is seven bits in canonical lines and comes back`() async throws {
        let mails = try Self.bodies.map { try Self.mail(text: $0, html: $0) }
        for ((text, mail), parsed) in zip(zip(Self.bodies, mails), try await Self.parse(mails)) {
            let lines = Self.lines(mail.bytes)
            #expect(mail.bytes.allSatisfy { $0 < 0x80 && $0 != 0 } && mail.bytes.suffix(2) == [13, 10])
            #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.utf8.contains(13) && !$0.utf8.contains(10) })
            #expect(!lines.contains { $0.hasPrefix(".") })
            let expected = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
            #expect(parsed.text.hasPrefix(expected) && parsed.types.count == 3)
            #expect(!parsed.text.dropFirst(expected.count).contains { !$0.isNewline })
        }
    }

    @Test func `a retry has the same bytes`() throws {
        let mail = try Self.mail(name: "Dé", subject: "Ü")
        #expect(mail.bytes == mail.bytes)
        #expect(try Self.mail(name: "Dé", subject: "Ü").bytes == mail.bytes)
    }

    @Test(arguments: [
        (Int64(0), "Thu, 1 Jan 1970 00:00:00 +0000"), (1_795_426_200, "Mon, 23 Nov 2026 09:30:00 +0000"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"), (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
    ])
    func `the date is the one that the message became owed`(seconds: Int64, text: String) throws {
        let mail = try Self.mail()
        let dated = MailMessage(
            from: mail.from, to: mail.to, messageID: MessageID(uuid: UUIDBits(high: 1, low: 2)),
            date: Instant(seconds: seconds), content: mail.content)
        #expect(Self.lines(dated.bytes).contains("Date: \(text)"))
    }
}
