import GatepostModel
import Testing

@Suite("Email address")
struct EmailAddressTests {
    @Test(arguments: [
        ("Ada.Lovelace+tag@Example.COM", "Ada.Lovelace+tag@example.com", "ada.lovelace+tag@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("a@b.co", "a@b.co", "a@b.co"),
    ])
    func `an address keeps its local part and gets a domain in ASCII`(typed: String, ascii: String, canonical: String) {
        #expect(EmailAddress(typed)?.ascii == ascii)
        #expect(EmailAddress(typed)?.canonical == canonical)
    }

    /// libcurl 7.88 lets CR LF in a recipient become an SMTP command of its own.
    @Test(arguments: [
        "", "ada", "@example.com", "ada@", "ada@example", "ada@example..com", "ada@-example.com", "ada@exam_ple.com",
        "a b@example.com", "ada@example.com\r\nRCPT TO:<eve@example.com>", "ada\n@example.com", "ada\0@example.com",
        "<ada@example.com>", "ada@[127.0.0.1]", "ada@127.0.0.1", ".ada@example.com", "ada.@example.com",
        "a..b@example.com", "\"ada\"@example.com", "ada@example.com,eve@example.com", "ädä@example.com",
        "ada@xn--a.example", "ada@\u{2060}.example", "ada@exa mple.com", " ada@example.com", "ada@example.com ",
    ])
    func `what could do harm or reach nobody is no address`(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func `64 bytes before the at sign and 254 in all are the limit`() {
        let domain = ["d", "e", "f"].map { String(repeating: $0, count: 60) + "." }.joined() + "com"
        #expect(EmailAddress(String(repeating: "a", count: 64) + "@example.com") != nil)
        #expect(EmailAddress(String(repeating: "a", count: 65) + "@example.com") == nil)
        let longest = 254 - 1 - domain.utf8.count
        #expect(EmailAddress(String(repeating: "a", count: min(64, longest)) + "@" + domain) != nil)
        #expect(
            EmailAddress(String(repeating: "a", count: 64) + "@" + domain + String(repeating: "m", count: 7)) == nil)
    }
}
