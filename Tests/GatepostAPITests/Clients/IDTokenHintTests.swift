import Curl
import GatepostModel
import TestSupport
import Testing

/// Whom a client says it expects (OpenID Connect Core, section 3.1.2.1).
@Suite("ID token hint")
struct IDTokenHintTests {
    /// A server with two users, a browser in which Ada is signed in, and the ID tokens that the client has of each.
    private func running(
        _ body: (TestServer, TestBrowser, _ ada: String, _ eve: String) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await server.verifiedUser("eve@example.com")
            let browser = TestBrowser(server)
            func idToken(_ email: String, in browser: TestBrowser) async throws -> String {
                let answer = try await server.browse(["scope": "openid"], in: browser, email: email)
                let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(answer.text)"))
                return try #require(tokens.field("id_token"))
            }
            let ada = try await idToken("ada@example.com", in: browser)
            try await body(server, browser, ada, try await idToken("eve@example.com", in: TestBrowser(server)))
        }
    }

    @Test func `with prompt=none only the user that it names is answered for`() async throws {
        try await running { server, browser, ada, eve in
            let same = try await browser.open(server.authorizePath(["prompt": "none", "id_token_hint": ada]))
            #expect(same.parameter("code") != nil, "\(same.location ?? "")")
            let other = try await browser.open(server.authorizePath(["prompt": "none", "id_token_hint": eve]))
            #expect(other.parameter("error") == "login_required" && other.parameter("code") == nil)
            // An expired one is a hint all the same.
            server.app.clock.advance(by: .hours(2))
            let late = try await browser.open(server.authorizePath(["prompt": "none", "id_token_hint": ada]))
            #expect(late.parameter("code") != nil)
            let lateOther = try await browser.open(server.authorizePath(["prompt": "none", "id_token_hint": eve]))
            #expect(lateOther.parameter("error") == "login_required")
        }
    }

    @Test func `what is no ID token of this client's is an error, and never passed over`() async throws {
        try await running { server, browser, ada, _ in
            let access = try await server.session().access
            let broken = String(ada.dropLast(2)) + (ada.hasSuffix("AA") ? "BB" : "AA")
            let parts = ada.split(separator: ".").map(String.init)
            let unsigned = "eyJhbGciOiJub25lIn0.\(parts[1])."
            for hint in [broken, unsigned, access, "x", "x.y.z"] {
                for prompt in ["none", nil] {
                    let answer = try await browser.open(
                        server.authorizePath(["prompt": prompt, "id_token_hint": hint]))
                    #expect(answer.parameter("error") == "invalid_request", "\(hint.prefix(20)) \(answer.text)")
                }
            }
            let other = try await server.anotherClient()
            let foreign = try await browser.open(
                server.authorizePath(["client_id": "\(other)", "id_token_hint": ada]))
            #expect(foreign.parameter("error") == "invalid_request")
        }
    }

    @Test func `an ID token of another app is none`() async throws {
        try await running { server, _, ada, _ in
            let other = try await server.otherApp()
            let path = server.authorizePath(["client_id": "\(other.client)", "id_token_hint": ada])
                .replacing("\(server.app.id)", with: "\(other.id)")
            let answer = try await TestBrowser(server).open(path)
            #expect(answer.parameter("error") == "invalid_request", "\(answer.text)")
        }
    }

    @Test func `whoever else signs in is told to the client, and is signed in nowhere`() async throws {
        try await running { server, browser, _, eve in
            // Ada is signed in here, and the client expects Eve: the page asks.
            let page = try #require(
                try await browser.open(server.authorizePath(["id_token_hint": eve])).location)
            #expect(page.hasPrefix("\(server.hosted)/sign-in?request="))
            let sessions = try await server.texts("select count(*)::text as text from sessions")
            let ada = try await browser.submit(page, ["email": "ada@example.com", "password": TestServer.password])
            #expect(ada.parameter("error") == "login_required" && ada.parameter("code") == nil, "\(ada.text)")
            #expect(ada.parameter("state") == "xyz")
            #expect(try await server.texts("select count(*)::text as text from sessions") == sessions)
            let over = try await browser.submit(page, ["email": "eve@example.com", "password": TestServer.password])
            #expect(over.status == 400, "the request has been answered")

            let next = try #require(try await browser.open(server.authorizePath(["id_token_hint": eve])).location)
            let right = try await browser.submit(next, ["email": "eve@example.com", "password": TestServer.password])
            #expect(right.parameter("code") != nil, "\(right.text)")
        }
    }

    @Test func `a pushed request carries one as well`() async throws {
        try await running { server, browser, ada, eve in
            for (hint, isAnswered) in [(ada, true), (eve, false)] {
                let pushed = try await server.issuer(
                    "par",
                    [
                        "client_id": "\(server.app.client)", "response_type": "code",
                        "redirect_uri": TestFlows.redirectURI, "code_challenge": TestServer.challenge,
                        "code_challenge_method": "S256", "prompt": "none", "id_token_hint": hint,
                    ])
                let uri = try #require(pushed.field("request_uri"), "\(pushed.text)")
                let path = "\(server.hosted)/oauth/authorize?client_id=\(server.app.client)&request_uri=\(uri)"
                let answer = try await browser.open(path)
                #expect((answer.parameter("code") != nil) == isAnswered)
            }
        }
    }

    @Test func `a login hint stands in the field, and whoever it does not name is asked`() async throws {
        try await running { server, browser, _, _ in
            let same = try await browser.open(server.authorizePath(["login_hint": "Ada@Example.com"]))
            #expect(same.parameter("code") != nil)
            let silent = try await browser.open(
                server.authorizePath(["login_hint": "eve@example.com", "prompt": "none"]))
            #expect(silent.parameter("error") == "login_required")
            let other = try await browser.open(server.authorizePath(["login_hint": "eve@example.com"]))
            let page = try #require(other.location)
            #expect(try await browser.open(page).text.contains(#"value="eve@example.com""#))
            // A hint is no demand: whoever signs in then is who they are.
            let ada = try await browser.submit(page, ["email": "ada@example.com", "password": TestServer.password])
            #expect(ada.parameter("code") != nil)
        }
    }
}
