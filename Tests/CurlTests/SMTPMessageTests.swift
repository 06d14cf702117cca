import Curl
import Testing

/// What may become an envelope and a body at all.
struct SMTPMessageTests {
    static let body = Array("Subject: x\r\n\r\nhello\r\n".utf8)

    @Test(arguments: [
        "a@e.org\r\nRCPT TO:<evil@e.org>", "a@e.org\nDATA", "a@e.org\r", "a@e.org\0", "<a@e.org>", "a@e.org> SIZE=1",
        "a b@e.org", "a@e.org ", "a\t@e.org", "a@e.org\u{7f}", "ä@e.org", "a@ｅ.org", "a@e.org\u{2028}", "\u{1b}a@e.org",
        String(repeating: "a", count: 330) + "@e.org",
    ])
    func `an address that could be more than an address is refused`(address: String) {
        #expect(throws: SMTPMessage.Flaw.recipient) {
            try SMTPMessage(sender: "a@example.com", recipient: address, bytes: Self.body)
        }
        #expect(throws: SMTPMessage.Flaw.sender) {
            try SMTPMessage(sender: address, recipient: "a@example.com", bytes: Self.body)
        }
    }

    @Test func `the null sender is taken, a null recipient is not`() throws {
        _ = try SMTPMessage(sender: "", recipient: "a@example.com", bytes: Self.body)
        #expect(throws: SMTPMessage.Flaw.recipient) {
            try SMTPMessage(sender: "a@example.com", recipient: "", bytes: Self.body)
        }
    }

    @Test(arguments: [
        ("a\n.\nb\r\n", SMTPMessage.Flaw.lineBreak), ("a\rb\r\n", .lineBreak), ("\r\r\n", .lineBreak),
        ("\n", .lineBreak), ("a\r\n.\n", .lineBreak), ("a", .lineBreak), ("a\r", .lineBreak), ("", .size),
        ("a\0\r\n", .nul), (String(repeating: "x", count: 999) + "\r\n", .lineLength),
    ])
    func `a body that servers could read in two ways is refused`(body: String, flaw: SMTPMessage.Flaw) {
        #expect(throws: flaw) {
            try SMTPMessage(sender: "", recipient: "a@example.com", bytes: Array(body.utf8))
        }
    }

    @Test func `the longest line passes, a mail beyond the largest does not`() throws {
        let line = [UInt8](repeating: 0x78, count: 998) + [13, 10]
        _ = try SMTPMessage(sender: "", recipient: "a@e.org", bytes: line)
        #expect(throws: SMTPMessage.Flaw.size) {
            try SMTPMessage(sender: "", recipient: "a@e.org", bytes: [UInt8](repeating: 10, count: 10_485_761))
        }
    }
}
