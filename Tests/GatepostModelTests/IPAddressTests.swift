import GatepostModel
import Testing

@Suite("IP addresses")
struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::ffff:192.0.2.7", "192.0.2.7"), ("::ffff:c000:207", "192.0.2.7"), ("::", "::"), ("::1", "::1"),
        ("1::", "1::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("0:0:1:0:0:0:0:0", "0:0:1::"),
    ])
    func `an address has one spelling`(text: String, canonical: String) throws {
        #expect(try #require(IPAddress(text)).description == canonical)
        #expect(IPAddress(canonical) == IPAddress(text))
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "+1.2.3.4", "127.1", "0x7f.0.0.1",
        "1.2.3.", ".1.2.3", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", ":1::2",
        "1::2:", "12345::", "g::", "::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "unknown", "_hidden",
        "１.2.3.4", "1.2.3.4\0",
    ])
    func `what is not plainly an address is none`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `a subscriber has one address of IPv4, and a whole 64 of IPv6`() throws {
        let texts = ["192.0.2.7", "192.0.2.8", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "2001:db8:1:3::9"]
        #expect(
            try texts.map { try #require(IPAddress($0)).subscriber } == [
                "192.0.2.7", "192.0.2.8", "2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64",
            ])
    }
}
