import DomainNames
import Testing

@Suite("Domain name")
struct DomainNameTests {
    @Test(arguments: [
        ("Example.COM", "example.com"), ("bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a.b", "a.b"), ("3com.example", "3com.example"),
    ])
    func `a name is given in ASCII`(domain: String, ascii: String) {
        #expect(DomainName.ascii(domain) == ascii)
    }

    @Test(arguments: [
        "", ".", ".example", "example.", "a..b", "-a.example", "a-.example", "exa_mple.com", "exa mple.com",
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "a.example\r\n", "a\0.example", "xn--a.example",
        "\u{0301}a.example", "a\u{202E}b.example",
    ])
    func `what is no name of a host is refused`(domain: String) {
        #expect(DomainName.ascii(domain) == nil)
    }

    @Test func `63 bytes a label and 253 in all are the limit`() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName.ascii("\(label).example") != nil)
        #expect(DomainName.ascii("\(label)a.example") == nil)
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(DomainName.ascii(name)?.utf8.count == 253)
        #expect(DomainName.ascii(name + "b") == nil)
    }
}
