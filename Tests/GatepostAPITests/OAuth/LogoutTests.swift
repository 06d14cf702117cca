import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Logout by a client")
struct LogoutTests {
    private static let goodbye = "https://app.example/goodbye"

    /// A server with a user, a browser in which they are signed in, and the ID token that the client was given.
    private func running(
        _ body: (TestServer, TestBrowser, HTTPResponse) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(server.app.client)", key: try await server.apiKey(.admin),
                json: #"{"post_logout_redirect_uris": ["\#(Self.goodbye)"]}"#)
            #expect(changed.status == 200, "\(changed.text)")
            let browser = TestBrowser(server)
            let answer = try await server.browse(["scope": "openid"], in: browser)
            let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(answer.text)"))
            try await body(server, browser, tokens)
        }
    }

    private func path(_ server: TestServer, _ parameters: KeyValuePairs<String, String>) -> String {
        let escapes = [":": "%3A", "/": "%2F", " ": "%20", "&": "%26"]
        let query = parameters.map { name, value in
            "\(name)=" + value.map { escapes[String($0)] ?? String($0) }.joined()
        }
        return "\(server.hosted)/oauth/logout?\(query.joined(separator: "&"))"
    }

    private func isSignedIn(_ server: TestServer, _ browser: TestBrowser) async throws -> Bool {
        try await browser.open("\(server.hosted)/account").status == 200
    }

    @Test func `whoever shows the ID token has them signed out at once, and the browser goes on`() async throws {
        try await running { server, browser, tokens in
            let hint = try #require(tokens.field("id_token"))
            // An expired token still says who the client was told of.
            server.app.clock.advance(by: .hours(2))
            let answer = try await browser.open(
                path(server, ["id_token_hint": hint, "post_logout_redirect_uri": Self.goodbye, "state": "a b&c"]))
            #expect(answer.status == 303 && answer.location == "\(Self.goodbye)?state=a%20b%26c", "\(answer.text)")
            #expect(browser.cookie("__Host-gatepost-session") == nil)
            #expect(try await !isSignedIn(server, browser))
            let refreshed = try await server.refresh(try #require(tokens.field("refresh_token")))
            #expect(refreshed.field("error") == "invalid_grant")
        }
    }

    @Test func `without a hint the person is asked, and goes on after saying so`() async throws {
        try await running { server, browser, tokens in
            let asked = try await browser.open(
                path(
                    server,
                    [
                        "client_id": "\(server.app.client)", "post_logout_redirect_uri": Self.goodbye, "state": "xyz",
                    ]))
            let page = try #require(asked.location)
            #expect(page.hasPrefix("\(server.hosted)/sign-out?"))
            #expect(try await isSignedIn(server, browser))
            let shown = try await browser.open(page)
            #expect(shown.status == 200 && shown.text.contains("ada@example.com"))
            #expect(shown.header("Content-Security-Policy")?.contains("form-action 'self' https:") == true)
            let answer = try await browser.submit(page, [:])
            #expect(answer.location == "\(Self.goodbye)?state=xyz", "\(answer.text)")
            #expect(try await !isSignedIn(server, browser))
            // What came from the browser's session ends with it.
            let refreshed = try await server.refresh(try #require(tokens.field("refresh_token")))
            #expect(refreshed.field("error") == "invalid_grant")
        }
    }

    @Test func `a hint that is another's, another app's or no ID token signs nobody out`() async throws {
        try await running { server, browser, tokens in
            try await server.verifiedUser("eve@example.com")
            let eves = try await server.browse(["scope": "openid"], email: "eve@example.com")
            let eveTokens = try await server.exchange(try #require(eves.parameter("code")))
            let access = try #require(tokens.field("access_token"))
            let own = try #require(tokens.field("id_token"))
            let broken = String(own.dropLast(2)) + (own.hasSuffix("AA") ? "BB" : "AA")
            for hint in [try #require(eveTokens.field("id_token")), access, broken, "x.y.z"] {
                let answer = try await browser.open(path(server, ["id_token_hint": hint]))
                #expect(answer.location == "\(server.hosted)/sign-out", "\(answer.text)")
                #expect(try await isSignedIn(server, browser))
            }
            let other = try await server.otherApp()
            let foreign = try await browser.open("/apps/\(other.id)/oauth/logout?id_token_hint=\(own)")
            #expect(foreign.status == 303)
            #expect(try await isSignedIn(server, browser))
        }
    }

    @Test func `nobody is sent to an address that is not registered, byte for byte`() async throws {
        try await running { server, browser, tokens in
            let hint = try #require(tokens.field("id_token"))
            for uri in ["https://evil.example/", Self.goodbye + "/", Self.goodbye + "?a", TestFlows.redirectURI] {
                let answer = try await browser.open(
                    path(server, ["id_token_hint": hint, "post_logout_redirect_uri": uri]))
                #expect(answer.status == 400 && answer.location == nil, "\(uri)")
                let query = "client_id=\(server.app.client)&post_logout_redirect_uri=\(uri)"
                let form = try await browser.submit("\(server.hosted)/sign-out?\(query)", [:])
                #expect(form.status == 400 && form.location == nil, "\(uri)")
            }
            let nobody = try await browser.open(path(server, ["post_logout_redirect_uri": Self.goodbye]))
            #expect(nobody.status == 400)
            let two = try await browser.open(
                path(server, ["id_token_hint": hint, "client_id": "\(try await server.anotherClient())"]))
            #expect(two.status == 400)
            #expect(try await isSignedIn(server, browser))
        }
    }

    @Test func `a form from the client's site comes again by GET`() async throws {
        try await running { server, browser, tokens in
            let hint = try #require(tokens.field("id_token"))
            let sent = try await server.post("\(server.hosted)/oauth/logout", form: ["id_token_hint": hint])
            #expect(sent.status == 303)
            let answer = try await browser.open(try #require(sent.location))
            #expect(answer.location == "\(server.hosted)/sign-out")
            #expect(try await !isSignedIn(server, browser))
        }
    }
}
