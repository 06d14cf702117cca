import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Authorize endpoint")
struct AuthorizeRoutesTests {
    @Test func `from the client to the page, to the client, to tokens`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = TestBrowser(server)
            let begun = try await browser.open(server.authorizePath())
            #expect(begun.status == 303)
            let page = try #require(begun.location)
            #expect(page.hasPrefix("\(server.hosted)/sign-in?request=arq_"))
            #expect(try await browser.open(page).status == 200)

            let answer = try await browser.submit(
                page, ["email": "ada@example.com", "password": TestServer.password])

            #expect(answer.status == 303, "\(answer.text)")
            #expect(answer.location?.hasPrefix("\(TestFlows.redirectURI)?code=gac_") == true)
            #expect(answer.parameter("state") == "xyz")
            #expect(answer.parameter("iss") == "\(TestFlows.baseURL)\(server.hosted)")
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(answer.header("Referrer-Policy") == "no-referrer")
            let tokens = try await server.exchange(try #require(answer.parameter("code")))
            #expect(tokens.status == 200)
            #expect(try await server.me(try TestServer.Tokens(tokens).access).field("user.email") == "ada@example.com")
        }
    }

    static let states = [
        "xyz", "a b", "a+b", "a%20b", "a&b=c", "a=b", "?", "#", "/", "\\", "\"<>'", "{\"a\":\"b\"}", "ä€😀",
        "e\u{301}", "%", "%%41", "\r\nSet-Cookie: a=b", "\t", String(repeating: "x", count: 4000), "~.-_", "code=evil",
    ]

    @Test func `state comes back byte for byte, with the answer and with an error`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            for state in Self.states {
                let browser = TestBrowser(server)
                let page = try #require(try await browser.open(server.authorizePath(["state": state])).location)
                let answer = try await browser.submit(
                    page, ["email": "ada@example.com", "password": TestServer.password])
                let back = try #require(answer.parameter("state"))
                #expect(Array(back.utf8) == Array(state.utf8))
                #expect(answer.headers(named: "Set-Cookie").allSatisfy { $0.hasPrefix("__Host-gatepost-") })

                let error = try await browser.open(server.authorizePath(["state": state, "response_type": "token"]))
                #expect(error.parameter("state").map { Array($0.utf8) } == Array(state.utf8))
            }
            let browser = TestBrowser(server)
            let page = try #require(try await browser.open(server.authorizePath(["state": nil])).location)
            let answer = try await browser.submit(page, ["email": "ada@example.com", "password": TestServer.password])
            #expect(answer.location?.contains("state") == false)
        }
    }

    /// What is wrong, with what, and the error that the client is told.
    static let errors: [(String, [String: String?], String, String)] = [
        ("no response type", ["response_type": nil], "", "invalid_request"),
        ("an implicit grant", ["response_type": "token"], "", "unsupported_response_type"),
        ("a hybrid", ["response_type": "code id_token"], "", "unsupported_response_type"),
        ("an ID token", ["response_type": "id_token"], "", "unsupported_response_type"),
        ("a fragment", ["response_mode": "fragment"], "", "invalid_request"),
        ("a form post", ["response_mode": "form_post"], "", "invalid_request"),
        // Abuse cases 14 and 15: PKCE left out, or its method (CVE-2023-48228, CVE-2024-23647 authentik).
        ("no challenge", ["code_challenge": nil], "", "invalid_request"),
        ("no challenge and no method", ["code_challenge": nil, "code_challenge_method": nil], "", "invalid_request"),
        ("an empty challenge", ["code_challenge": ""], "", "invalid_request"),
        ("no method", ["code_challenge_method": nil], "", "invalid_request"),
        ("the plain method", ["code_challenge_method": "plain"], "", "invalid_request"),
        ("the method in small letters", ["code_challenge_method": "s256"], "", "invalid_request"),
        ("a verifier for a challenge", ["code_challenge": TestFlows.codeVerifier], "", "invalid_request"),
        ("a short challenge", ["code_challenge": String(repeating: "a", count: 42)], "", "invalid_request"),
        ("a long challenge", ["code_challenge": String(repeating: "a", count: 44)], "", "invalid_request"),
        ("a padded challenge", ["code_challenge": String(repeating: "a", count: 43) + "="], "", "invalid_request"),
        ("a challenge twice", [:], "&code_challenge=x", "invalid_request"),
        ("a method twice", [:], "&code_challenge_method=plain", "invalid_request"),
        ("a response type twice", [:], "&response_type=code", "invalid_request"),
        ("an unknown parameter twice", [:], "&a=1&a=2", "invalid_request"),
        ("a request object", ["request": "e30."], "", "request_not_supported"),
        ("a request by reference", ["request_uri": "https://evil.example/r"], "", "request_uri_not_supported"),
        ("a registration", ["registration": "{}"], "", "registration_not_supported"),
        ("an unknown prompt", ["prompt": "create"], "", "invalid_request"),
        ("none and something", ["prompt": "none login"], "", "invalid_request"),
        ("none without a session", ["prompt": "none"], "", "login_required"),
        ("an age that is none", ["max_age": "soon"], "", "invalid_request"),
        ("a negative age", ["max_age": "-1"], "", "invalid_request"),
        ("a state that is too long", ["state": String(repeating: "x", count: 4001)], "", "invalid_request"),
        ("a nonce that is too long", ["nonce": String(repeating: "x", count: 501)], "", "invalid_request"),
    ]

    @Test func `what else is wrong goes back to the client`() async throws {
        try await TestServer.running { server in
            for (name, changes, more, code) in Self.errors {
                let answer = try await TestBrowser(server).open(server.authorizePath(changes, more: more))
                #expect(answer.status == 303, "\(name)")
                #expect(answer.location?.hasPrefix("\(TestFlows.redirectURI)?error=") == true, "\(name)")
                #expect(answer.parameter("error") == code, "\(name)")
                #expect(answer.parameter("iss") == "\(TestFlows.baseURL)\(server.hosted)", "\(name)")
                #expect(answer.parameter("code") == nil, "\(name)")
            }
            #expect(try await server.texts("select id::text as text from authorization_requests") == [])
        }
    }

    @Test func `a state that comes twice is not echoed`() async throws {
        try await TestServer.running { server in
            let answer = try await TestBrowser(server).open(server.authorizePath(more: "&state=abc"))
            #expect(answer.parameter("error") == "invalid_request")
            #expect(answer.location?.contains("state=") == false)
        }
    }

    @Test func `client and redirect URI come before anything else`() async throws {
        try await TestServer.running { server in
            let other = try await server.otherApp()
            let unknown: ClientID = server.app.newID()
            let paths = [
                server.authorizePath(["client_id": nil]), server.authorizePath(["client_id": "web"]),
                server.authorizePath(["client_id": "\(unknown)"]),
                server.authorizePath(["client_id": "\(other.client)"]),
                server.authorizePath(more: "&client_id=\(server.app.client)"),
                server.authorizePath(["redirect_uri": nil]),
                server.authorizePath(more: "&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback"),
                server.authorizePath(["redirect_uri": nil, "response_type": "token"]),
                server.authorizePath(more: "&a=%zz"), server.authorizePath(more: "&a=%00"),
                "\(server.hosted)/oauth/authorize",
            ]
            for path in paths {
                let answer = try await TestBrowser(server).open(path)
                #expect(answer.status == 400, "\(path)")
                #expect(answer.location == nil, "\(path)")
            }
            #expect(try await server.send("GET", "/apps/app_nobody/oauth/authorize").status == 404)
        }
    }

    @Test func `a form leads to the same place as an address`() async throws {
        try await TestServer.running { server in
            let path = server.authorizePath()
            let query = try #require(path.split(separator: "?").last)
            let answer = try await server.send(
                "POST", "\(server.hosted)/oauth/authorize",
                headers: ["Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"],
                body: Array(query.utf8))
            #expect(answer.status == 303)
            #expect(answer.location == path)
            let broken = try await server.send(
                "POST", "\(server.hosted)/oauth/authorize",
                headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array("a=b\r\nSet-Cookie: c=d".utf8))
            #expect(broken.status == 400)
        }
    }

    @Test func `looking by HEAD asks for nothing`() async throws {
        try await TestServer.running { server in
            let before = try await server.state()
            #expect(try await server.send("HEAD", server.authorizePath()).status == 200)
            #expect(try await server.state() == before)
            #expect(try await server.texts("select id::text as text from authorization_requests") == [])
        }
    }
}
