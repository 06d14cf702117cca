import GatepostModel
import Testing

@Suite("Redirect URI")
struct RedirectURITests {
    @Test(arguments: [
        "https://app.example.com/callback", "https://app.example.com:8443/cb?x=1", "http://127.0.0.1:3000/cb",
        "http://[::1]/cb", "http://localhost:3000/cb", "com.example.app:/callback",
    ])
    func `what a client may register`(text: String) {
        #expect(RedirectURI(text)?.matches(text) == true)
    }

    @Test(arguments: [
        "", "callback", "/callback", "http://app.example.com/cb", "javascript:alert(1)", "JavaScript:alert(1)",
        "data:text/html,x", "https://", "https://app.example.com/cb#x", "https://user@app.example.com/cb",
        "https://app.example.com/*", "https://app.example.com\\@evil.example/", "https://app.example.com/a/../b",
        "https://app.example.com/..;/b", "https://app.example.com/ b", "https://äpp.example/cb", "app:/cb",
        "https:///cb", "https://app.example.com:x/cb", "http://127.0.0.1.evil.example/cb", "HTTPS://app.example.com/cb",
    ])
    func `what a client may not register`(text: String) {
        #expect(RedirectURI(text) == nil)
    }

    /// CVE-2024-52289 and CVE-2026-41569 in authentik, CVE-2026-7504 and CVE-2026-3872 in Keycloak: pattern,
    /// prefix, several `@`, path traversal.
    @Test(arguments: [
        "https://app.example.com/callback/", "https://app.example.com/callback?x", "https://app.example.com/callback#",
        "https://app.example.com.evil.example/callback", "https://appXexample.com/callback",
        "https://a@b@app.example.com/callback", "https://app.example.com/x/..;/callback",
        "HTTPS://app.example.com/callback",
        "https://app.example.com:443/callback", "https://app.example.com/Callback",
        "https://app.example.com/callback%20",
        "http://app.example.com/callback", "https://app.example.com/callback\u{0}", "",
    ])
    func `nothing but the registered bytes matches`(presented: String) {
        #expect(RedirectURI("https://app.example.com/callback")?.matches(presented) == false)
    }

    @Test func `only the port of a loopback literal may differ`() throws {
        let registered = try #require(RedirectURI("http://127.0.0.1/cb"))
        #expect(registered.matches("http://127.0.0.1:51004/cb"))
        #expect(!registered.matches("http://127.0.0.1:51004/other"))
        #expect(!registered.matches("http://[::1]:51004/cb"))
        #expect(!registered.matches("https://127.0.0.1:51004/cb"))
        #expect(!registered.matches("http://127.0.0.1:51004@evil.example/cb"))
        #expect(try !#require(RedirectURI("http://localhost:3000/cb")).matches("http://localhost:3001/cb"))
    }
}

@Suite("Code challenge")
struct CodeChallengeTests {
    /// RFC 7636, appendix B.
    @Test func `a verifier answers its challenge`() {
        let challenge = CodeChallenge(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        #expect(challenge?.text == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test func `a verifier has 43 to 128 unreserved characters`() {
        #expect(CodeChallenge(verifier: String(repeating: "a", count: 42)) == nil)
        #expect(CodeChallenge(verifier: String(repeating: "a", count: 128)) != nil)
        #expect(CodeChallenge(verifier: String(repeating: "a", count: 129)) == nil)
        #expect(CodeChallenge(verifier: String(repeating: "a", count: 42) + "!") == nil)
    }

    @Test(arguments: [
        "", "plain", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
    ])
    func `a challenge is a SHA-256 in base 64 for URLs`(text: String) {
        #expect(CodeChallenge(text) == nil)
    }
}
