import Curl
import GatepostModel
import TestSupport
import Testing

/// The redirect URIs of `RedirectMutationTests`, at each other route that takes one.
@Suite("Redirect URI mutations, everywhere")
struct RedirectRoutesTests {
    /// A server whose limits let one network try as often as there are mutations.
    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            let changed = try await server.admin(
                "PATCH", server.adminAPI, key: try await server.apiKey(.admin),
                json: #"{"settings": {"client_mails_per_hour": 10000, "client_tries_per_quarter_hour": 10000}}"#)
            #expect(changed.status == 200, "\(changed.text)")
            try await body(server)
        }
    }

    private var mutations: [(String, String)] { RedirectMutationTests.mutations }

    @Test func `as a form at the authorize endpoint: none is redirected to`() async throws {
        try await running { server in
            for (name, uri) in mutations {
                let browser = TestBrowser(server)
                let sent = try await server.post(
                    "\(server.hosted)/oauth/authorize",
                    form: [
                        "response_type": "code", "client_id": "\(server.app.client)", "redirect_uri": uri,
                        "code_challenge": TestServer.challenge, "code_challenge_method": "S256",
                    ])
                // To the same address by GET, or to a page that says why not; never to the client.
                let location = sent.location
                guard let location else {
                    #expect(sent.status == 400, "\(name)")
                    continue
                }
                #expect(location.replacing(TestFlows.baseURL, with: "").hasPrefix("\(server.hosted)/"), "\(name)")
                let answer = try await browser.open(location.replacing(TestFlows.baseURL, with: ""))
                #expect(answer.status == 400 && answer.location == nil, "\(name)")
            }
            #expect(try await server.texts("select id::text as text from authorization_requests") == [])
        }
    }

    @Test func `pushed: none waits for a browser`() async throws {
        try await running { server in
            let client = try await server.confidentialClient()
            for (name, uri) in mutations {
                let answer = try await server.issuer(
                    "par",
                    [
                        "response_type": "code", "redirect_uri": uri, "code_challenge": TestServer.challenge,
                        "code_challenge_method": "S256",
                    ], authorization: client.basic)
                #expect(answer.status == 400 && answer.field("error") == "invalid_request", "\(name)")
            }
            #expect(try await server.texts("select 'x' as text from pushed_requests") == [])
        }
    }

    @Test func `at a sign-in of the JSON API, by password, mail or provider: none gets a code`() async throws {
        try await running { server in
            let path = "\(server.adminAPI)/identity-providers"
            let made = try await server.admin(
                "POST", path, key: try await server.apiKey(.admin),
                json: """
                    {"name": "upstream", "kind": "openid", "label": "Upstream", "issuer": "https://idp.example",
                     "client_id": "gatepost", "secret": "a secret of the provider's"}
                    """)
            #expect(made.status == 201, "\(made.text)")
            for (index, (name, uri)) in mutations.enumerated() {
                var fields = server.signInFields("person\(index)@example.com")
                fields["redirect_uri"] = uri
                let byPassword = try await server.post("\(server.api)/sign-ins", fields)
                #expect(byPassword.status == 400 && byPassword.problem == .invalidRedirectURI, "\(name)")
                fields["password"] = nil
                let byMail = try await server.post("\(server.api)/sign-ins/email", fields)
                #expect(byMail.status == 400 && byMail.problem == .invalidRedirectURI, "\(name)")
                fields["email"] = nil
                fields["provider"] = "upstream"
                let byProvider = try await server.post("\(server.api)/provider-sign-ins", fields)
                #expect(byProvider.status == 400 && byProvider.problem == .invalidRedirectURI, "\(name)")
            }
            #expect(try await server.texts("select 'x' as text from authorization_codes") == [])
            #expect(try await server.texts("select 'x' as text from outbox") == [])
        }
    }

    @Test func `at the exchange: a code is for the redirect URI that it came to, and waits for it`() async throws {
        try await running { server in
            try await server.verifiedUser()
            let code = try #require(try await server.signIn().field("code"))
            for (name, uri) in mutations {
                let answer = try await server.exchange(code, redirectURI: uri)
                let error = answer.field("error")
                #expect(answer.status == 400 && ["invalid_grant", "invalid_request"].contains(error), "\(name)")
            }
            #expect(try await server.exchange(code).status == 200)
        }
    }

    @Test func `after a sign-out: none is redirected to`() async throws {
        try await running { server in
            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(server.app.client)", key: try await server.apiKey(.admin),
                json: #"{"post_logout_redirect_uris": ["\#(TestFlows.redirectURI)"]}"#)
            #expect(changed.status == 200, "\(changed.text)")
            // An empty one is one that was left out.
            for (name, uri) in mutations where !uri.isEmpty {
                let query = "client_id=\(server.app.client)&post_logout_redirect_uri=\(TestServer.encoded(uri))"
                let answer = try await TestBrowser(server).open("\(server.hosted)/oauth/logout?\(query)")
                #expect(answer.status == 400 && answer.location == nil, "\(name): \(answer.location ?? "")")
            }
            let right = TestServer.encoded(TestFlows.redirectURI)
            let answer = try await TestBrowser(server).open(
                "\(server.hosted)/oauth/logout?client_id=\(server.app.client)&post_logout_redirect_uri=\(right)")
            #expect(answer.status == 303)
        }
    }
}

extension TestServer {
    /// A value as it stands in a query: all but letters and digits percent-encoded.
    fileprivate static func encoded(_ value: String) -> String {
        value.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            if isPlain { return String(decoding: [byte], as: UTF8.self) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
