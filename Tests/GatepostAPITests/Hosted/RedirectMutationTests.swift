import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// Redirect URIs that look like a registered one to some reader: none is ever redirected to.
///
/// CVE-2026-7504 and CVE-2026-3872 in Keycloak (several `@`, `..;/`), CVE-2024-52289 and CVE-2026-41569 in authentik
/// (pattern, prefix), CVE-2026-9086 in Keycloak and GHSA-6rx5-m2rc-hmf7 in Zitadel (scheme in another case).
@Suite("Redirect URI mutations")
struct RedirectMutationTests {
    /// A name, and a URI that is not `https://app.example/callback`.
    static let mutations: [(String, String)] = [
        ("empty", ""), ("the origin alone", "https://app.example"), ("the root", "https://app.example/"),
        ("a slash more", "https://app.example/callback/"), ("a letter less", "https://app.example/callbac"),
        ("a letter more", "https://app.example/callbacks"), ("an empty query", "https://app.example/callback?"),
        ("a query", "https://app.example/callback?next=https://evil.example"),
        ("an empty fragment", "https://app.example/callback#"), ("a fragment", "https://app.example/callback#x"),
        ("a path parameter", "https://app.example/callback;x"), ("a dot segment", "https://app.example/./callback"),
        ("two dot segments", "https://app.example/x/../callback"),
        ("Tomcat's dot segments", "https://app.example/x/..;/callback"),
        ("encoded dot segments", "https://app.example/x/%2e%2e/callback"),
        ("doubly encoded dot segments", "https://app.example/x/%252e%252e/callback"),
        ("out of the path", "https://app.example/callback/../evil"),
        ("out of the path, Tomcat", "https://app.example/callback/..;/evil"),
        ("a doubled slash", "https://app.example//callback"), ("a backslash", "https://app.example\\callback"),
        ("an encoded slash", "https://app.example%2Fcallback"),
        ("an encoded letter", "https://app.example/%63allback"),
        ("the host in capitals", "https://APP.example/callback"),
        ("the scheme in capitals", "HTTPS://app.example/callback"),
        ("the path in capitals", "https://app.example/Callback"),
        ("http", "http://app.example/callback"), ("no scheme", "//app.example/callback"),
        ("no scheme and no slashes", "app.example/callback"), ("one slash", "https:/app.example/callback"),
        ("three slashes", "https:///app.example/callback"), ("backslashes", "https:\\\\app.example\\callback"),
        ("the default port", "https://app.example:443/callback"),
        ("another port", "https://app.example:8443/callback"), ("an empty port", "https://app.example:/callback"),
        ("a user", "https://user@app.example/callback"),
        ("a user and a password", "https://a:b@app.example/callback"),
        ("an empty user", "https://@app.example/callback"),
        ("two at signs", "https://a@b@app.example/callback"),
        ("our host as the user", "https://app.example@evil.example/callback"),
        ("our host as the user, encoded", "https://app.example%40evil.example/callback"),
        ("our host and a backslash", "https://app.example\\@evil.example/callback"),
        ("our host as a label", "https://app.example.evil.example/callback"),
        ("our host at the end", "https://evil.example/app.example/callback"),
        ("our host behind a hyphen", "https://evil-app.example/callback"),
        ("our host without its dot", "https://appxexample/callback"),
        ("a subdomain", "https://x.app.example/callback"), ("the parent domain", "https://example/callback"),
        ("a dot behind the host", "https://app.example./callback"),
        ("a wildcard host", "https://*.example/callback"), ("a wildcard path", "https://app.example/*"),
        ("javascript", "javascript:alert(1)//https://app.example/callback"),
        ("javascript in another case", "JaVaScRiPt:alert(1)"), ("data", "data:text/html,<script>alert(1)</script>"),
        ("vbscript", "vbscript:msgbox(1)"), ("a file", "file:///etc/passwd"), ("blob", "blob:https://app.example/x"),
        ("a view of the source", "view-source:https://app.example/callback"),
        ("a space before", " https://app.example/callback"), ("a space behind", "https://app.example/callback "),
        ("a tab inside", "https://app.example/call\tback"),
        ("a line feed behind", "https://app.example/callback\n"),
        ("a header in it", "https://app.example/callback\r\nLocation: https://evil.example"),
        ("a soft hyphen", "https://app.exam\u{AD}ple/callback"),
        ("a full-width dot", "https://app\u{FF0E}example/callback"),
        ("a full-width slash", "https://app.example\u{FF0F}callback"),
        ("a letter that looks alike", "https://\u{0430}pp.example/callback"),
        ("a combining mark", "https://app.example/callback\u{301}"),
        ("punycode", "https://xn--app-example-.evil.example/callback"),
        ("a loopback that is not registered", "http://127.0.0.1:3000/callback"),
        ("an out-of-band address", "urn:ietf:wg:oauth:2.0:oob"),
        (
            "too long",
            "https://app.example/callback"
                + String(repeating: "a", count: 3000)
        ),
    ]

    @Test func `there are at least sixty of them, each with a name of its own`() {
        #expect(Self.mutations.count >= 60)
        #expect(Set(Self.mutations.map(\.0)).count == Self.mutations.count)
        #expect(Set(Self.mutations.map(\.1)).count == Self.mutations.count)
    }

    @Test func `none is redirected to, and each gets a page of ours`() async throws {
        try await TestServer.running { server in
            for (name, uri) in Self.mutations {
                let browser = TestBrowser(server)
                let answer = try await browser.open(server.authorizePath(["redirect_uri": uri]))

                #expect(answer.status == 400, "\(name)")
                #expect(answer.location == nil, "\(name)")
                #expect(answer.header("Content-Type") == "text/html; charset=utf-8", "\(name)")
                #expect(answer.header("Refresh") == nil, "\(name)")
                #expect(!answer.text.contains("evil.example") && !answer.text.contains("<script"), "\(name)")
                #expect(browser.cookie("__Host-") == nil, "\(name)")
            }
            let rows = try await server.texts("select id::text as text from authorization_requests")
            #expect(rows == [])
            let refused = try await server.events().filter { $0 == "sign_in.refused invalid_redirect_uri" }
            #expect(refused.count == Self.mutations.count)
        }
    }

    @Test func `the registered one, byte for byte, is`() async throws {
        try await TestServer.running { server in
            let answer = try await TestBrowser(server).open(server.authorizePath())
            #expect(answer.status == 303)
        }
    }

    /// RFC 8252, section 7.3: a native app learns its port when it starts.
    @Test func `a native app may choose the port of a loopback literal, and nothing else`() async throws {
        try await TestServer.running { server in
            let client: ClientID = server.app.newID()
            let uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:3000/cb"]
            try await server.register(client, uris)
            func status(_ uri: String) async throws -> Int {
                try await TestBrowser(server).open(
                    server.authorizePath(["client_id": "\(client)", "redirect_uri": uri])
                ).status
            }

            for uri in ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", uris[2]] {
                #expect(try await status(uri) == 303, "\(uri)")
            }
            for uri in [
                "http://localhost:3001/cb", "http://127.0.0.1:51004/other", "http://127.0.0.2:51004/cb",
                "https://127.0.0.1:51004/cb", "http://127.0.0.1:51004@evil.example/cb", "http://127.0.0.1:x/cb",
                "http://127.0.0.1:51004/cb#x", "http://127.0.0.1.evil.example:51004/cb", "http://127.1:51004/cb",
                "http://2130706433:51004/cb", "http://[::ffff:127.0.0.1]:51004/cb", "http://127.0.0.1:/cb",
                "http://127.0.0.1:\(String(repeating: "0", count: 2100))/cb",
            ] {
                #expect(try await status(uri) == 400, "\(uri)")
            }
        }
    }

    /// RFC 8252, section 8.6: any program of the machine can listen at a port, and ask for whoever is signed in.
    @Test func `who is signed in is asked again where the answer would go to a port or a private scheme`() async throws
    {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client: ClientID = server.app.newID()
            let uris = ["http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example/other"]
            try await server.register(client, uris)
            let browser = TestBrowser(server)
            let page = try #require(try await browser.open(server.authorizePath()).location)
            let form: KeyValuePairs = ["email": "ada@example.com", "password": TestServer.password]
            #expect(try await browser.submit(page, form).parameter("code") != nil)

            for (uri, isSilent) in [
                (uris[0], false), ("http://127.0.0.1:51004/cb", false), (uris[1], false), (uris[2], true),
            ] {
                let answer = try await browser.open(
                    server.authorizePath(["client_id": "\(client)", "redirect_uri": uri]))
                #expect((answer.parameter("code") != nil) == isSilent, "\(uri): \(answer.location ?? "")")
            }
        }
    }
}

extension TestServer {
    /// Registers a client of the app under an id.
    func register(_ client: ClientID, _ redirectURIs: [String]) async throws {
        let uris = redirectURIs.compactMap(RedirectURI.init)
        #expect(uris.count == redirectURIs.count)
        try await app.database.batch(in: app.scope) { batch in
            batch.insertClient(client, named: "Other", redirectURIs: uris, at: app.clock.now)
        }
    }
}
