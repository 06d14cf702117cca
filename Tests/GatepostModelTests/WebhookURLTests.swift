import GatepostModel
import Testing

/// What may be written down as an endpoint's URL.
///
/// The spellings of private hosts are tried at the route itself.
@Suite("Webhook URL")
struct WebhookURLTests {
    @Test(arguments: [
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("https://Hooks.Example.COM/Path?a=B&c=%20d", "https://hooks.example.com/Path?a=B&c=%20d"),
        ("HTTPS://hooks.example.com:443/", "https://hooks.example.com:443/"),
        ("https://hooks.example.com:8443/a:b@c", "https://hooks.example.com:8443/a:b@c"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://10.0.0.1.example.com/", "https://10.0.0.1.example.com/"),
        ("https://0x.example/", "https://0x.example/"),
    ])
    func `a public name is taken, its host in lower case and ASCII`(text: String, expected: String) {
        #expect(WebhookURL(text, allowsPrivate: false)?.text == expected)
    }

    @Test(arguments: [
        "", "https://", "https:///path", "http://hooks.example.com/", "ftp://hooks.example.com/", "hooks.example.com",
        "https:/hooks.example.com/", "https:\\\\hooks.example.com/", "https://hooks.example.com/a b",
        "https://hooks.example.com/#top", "https://hooks.example.com#top", "https://hooks.example.com/\\",
        "https://hooks.example.com/\u{0}", "https://hooks.example.com/\r\nHost: x", "https://hooks.example.com/ä",
        "https://hooks.example.com/<", "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/",
        "https://hooks.example.com:/", "https://hooks.example.com:0/", "https://hooks.example.com:022/",
        "https://hooks.example.com:22/", "https://hooks.example.com:25/", "https://hooks.example.com:1023/",
        "https://hooks.example.com:65536/", "https://hooks.example.com:443x/", "https://hooks.example.com:+443/",
        "https://hooks.example.com:４４３/", "https://hooks.example.com:443:443/", "https://hooks.example.com?a=b",
        "https://hooks..example.com/", "https://-hooks.example.com/", "https://hooks.example.com./",
        "https://hooks_1.example.com/", "https://example/", "https://*.example.com/",
        " https://hooks.example.com/", "https://hooks.example.com/ ", "javascript://hooks.example.com/",
    ])
    func `what is no plain URL of a name is refused`(text: String) {
        #expect(WebhookURL(text, allowsPrivate: false) == nil)
    }

    @Test func `a URL has at most two thousand bytes`() {
        let head = "https://hooks.example.com/"
        let longest = head + String(repeating: "a", count: WebhookURL.bytesMax - head.utf8.count)
        #expect(WebhookURL(longest, allowsPrivate: false) != nil)
        #expect(WebhookURL(longest + "a", allowsPrivate: false) == nil)
    }

    @Test(arguments: ["http://127.0.0.1:8080/", "https://localhost:8443/", "http://[::1]:9000/x", "http://10.1.2.3/"])
    func `where private destinations are allowed, plain http and addresses are taken`(text: String) {
        #expect(WebhookURL(text, allowsPrivate: true)?.text == text)
        #expect(WebhookURL(text, allowsPrivate: false) == nil)
    }

    @Test(arguments: ["http://127.1/", "http://0x7f.1/", "http://a@127.0.0.1/", "http://127.0.0.1:22/", "http:///"])
    func `even there a URL is written plainly`(text: String) {
        #expect(WebhookURL(text, allowsPrivate: true) == nil)
    }

    @Test func `a uuid is read as Postgres writes it and in no other form`() {
        let id = UUIDBits(high: 0x0123_4567_89ab_7def, low: 0x8123_4567_89ab_cdef)
        #expect(UUIDBits(postgresText: "01234567-89ab-7def-8123-456789abcdef") == id)
        for text in [
            "", "0123456789ab7def8123456789abcdef", "01234567-89AB-7def-8123-456789abcdef",
            "g1234567-89ab-7def-8123-456789abcdef",
        ] {
            #expect(UUIDBits(postgresText: text) == nil)
        }
    }

    @Test func `a secret prints nowhere and opens in no other row, app or key`() throws {
        let secret = WebhookSecret.make(random: SystemRandom())
        let keys = try KeyRing(Secret("1:" + String(repeating: "A", count: 43)))
        let others = try KeyRing(Secret("1:" + String(repeating: "B", count: 42) + "A"))
        let now = Instant(seconds: 1_772_442_000)
        let (id, otherID) = (
            WebhookSecretID.make(at: now, random: SystemRandom()), WebhookSecretID.make(at: now, random: SystemRandom())
        )
        let (app, otherApp) = (AppID.make(at: now, random: SystemRandom()), AppID.make(at: now, random: SystemRandom()))
        let sealed = try secret.sealed(as: id, in: app, keys: keys)

        #expect(try WebhookSecret(sealed: sealed, as: id, in: app, keys: keys) == secret)
        #expect(throws: SealBroken.self) { try WebhookSecret(sealed: sealed, as: otherID, in: app, keys: keys) }
        #expect(throws: SealBroken.self) { try WebhookSecret(sealed: sealed, as: id, in: otherApp, keys: keys) }
        #expect(throws: SealBroken.self) { try WebhookSecret(sealed: sealed, as: id, in: app, keys: others) }
        #expect(secret.text.revealed.hasPrefix("whsec_") && secret.text.revealed.utf8.count == 50)
        #expect("\(secret)" == "<redacted>" && "\(secret.text)" == "<redacted>")
    }
}
