import Curl
import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// How long a browser stays signed in to the hosted pages, and what ends with what.
@Suite("Hosted sessions")
struct HostedSessionTests {
    private static let right: KeyValuePairs<String, String> = [
        "email": "ada@example.com", "password": TestServer.password,
    ]

    /// Signs in on the page, as a client asks, and exchanges the code.
    private func signIn(
        _ browser: TestBrowser, _ changes: [String: String?] = [:],
        _ form: KeyValuePairs<String, String> = HostedSessionTests.right
    ) async throws -> TestServer.Tokens {
        let page = try #require(try await browser.open(browser.server.authorizePath(changes)).location)
        let answer = try await browser.submit(page, form)
        let code = try #require(answer.parameter("code"), "\(answer.text)")
        return try TestServer.Tokens(try await browser.server.exchange(code))
    }

    /// Whether a client is answered without anybody's click.
    private func isSilent(_ browser: TestBrowser) async throws -> Bool {
        let answer = try await browser.open(browser.server.authorizePath(["prompt": "none"]))
        #expect(answer.parameter("code") != nil || answer.parameter("error") == "login_required")
        return answer.parameter("code") != nil
    }

    /// Ends a session in the app, the one that asks or another one.
    private func end(_ server: TestServer, _ session: String, _ tokens: TestServer.Tokens) async throws -> HTTPResponse
    {
        try await server.send(
            "DELETE", "\(server.api)/sessions/\(session)", headers: ["Authorization": "Bearer \(tokens.access)"])
    }

    private func ends(_ server: TestServer) async throws -> [String] {
        try await server.texts(
            """
            select (extract(epoch from expires_at - authenticated_at) / 86400)::integer::text as text
              from sessions where client_id is not null order by created_at
            """)
    }

    /// Story: each silent answer began a session of 90 days more, so that nobody ever had to sign in again.
    @Test func `being answered without being asked makes no sign-in younger`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = TestBrowser(server)
            _ = try await signIn(browser)
            for _ in 0..<4 {
                server.app.clock.advance(by: .days(20))
                let answer = try await browser.open(server.authorizePath(["prompt": "none"]))
                _ = try TestServer.Tokens(try await server.exchange(try #require(answer.parameter("code"))))
            }
            #expect(try await ends(server) == Array(repeating: "90", count: 5))
            let answer = try await browser.open(server.authorizePath(["prompt": "none"]))
            let code = try #require(answer.parameter("code"))
            let tokens = try TestServer.Tokens(try await server.exchange(code))

            server.app.clock.advance(by: .days(10) - .seconds(1))
            let last = try TestServer.Tokens(try await server.refresh(tokens.refresh))
            #expect(try await server.me(last.access).status == 200)
            server.app.clock.advance(by: .seconds(1))
            #expect(try await server.me(last.access).problem == .sessionEnded)
            #expect(try await server.refresh(last.refresh).field("error") == "invalid_grant")
            #expect(try await !isSilent(browser))
        }
    }

    @Test func `a sign-out in the app signs the browser out too`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, other) = (TestBrowser(server), TestBrowser(server))
            let tokens = try await signIn(browser)
            _ = try await signIn(other)
            #expect(try await isSilent(browser))

            #expect(try await end(server, "current", tokens).status == 204)

            #expect(try await !isSilent(browser))
            #expect(try await browser.open("\(server.hosted)/account").location == "\(server.hosted)/sign-in")
            #expect(try await isSilent(other), "another browser of the same user goes on")
            #expect(try await server.events().count { $0 == "session.ended signed_out" } == 2)
        }
    }

    @Test func `also where the browser has signed in anew since, unless it is somebody else there now`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await server.verifiedUser("eve@example.com")
            let browser = TestBrowser(server)
            let first = try await signIn(browser)
            _ = try await signIn(browser, ["prompt": "login"])
            #expect(try await end(server, "current", first).status == 204)
            #expect(try await !isSilent(browser))

            let ada = try await signIn(browser)
            _ = try await signIn(
                browser, ["prompt": "login"], ["email": "eve@example.com", "password": TestServer.password])
            #expect(try await end(server, "current", ada).status == 204)
            #expect(try await isSilent(browser))
        }
    }

    @Test func `ended from another device or by an admin, a session takes its browser along`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let key = try await server.apiKey(.admin, in: server.app.id)
            let here = try await server.session()
            let user = try #require(try await server.me(here.access).field("user.id"))
            for isAdmin in [false, true] {
                let browser = TestBrowser(server)
                let there = try await signIn(browser)
                let session = try #require(try await server.me(there.access).field("session.id"))
                let answer =
                    isAdmin
                    ? try await server.admin(
                        "DELETE", "\(server.adminAPI)/users/\(user)/sessions/\(session)", key: key)
                    : try await end(server, session, here)
                #expect(answer.status == 204, "\(answer.text)")
                #expect(try await !isSilent(browser))
            }
            #expect(try await server.me(here.access).status == 200)
        }
    }

    @Test func `ended on the account's page, it takes another browser along, and not the one that asks`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (here, there) = (TestBrowser(server), TestBrowser(server))
            for browser in [here, there] {
                let session = try #require(try await server.me(signIn(browser).access).field("session.id"))
                let path = "\(server.hosted)/account/sessions/\(session)/end"
                #expect(try await here.submit(path, [:]).location == "\(server.hosted)/account?done=ended")
            }
            #expect(try await isSilent(here))
            #expect(try await !isSilent(there))
        }
    }

    /// Decision 20: whoever signs out of the pages stays signed in where they were.
    @Test func `a sign-out on the pages leaves the clients' sessions`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = TestBrowser(server)
            let tokens = try await signIn(browser)
            _ = try await browser.submit("\(server.hosted)/sign-out", [:])
            #expect(try await !isSilent(browser))
            #expect(try await server.me(tokens.access).status == 200)
        }
    }

    /// Signs an admin in to the hosted pages of the built-in app.
    private func console(_ server: TestServer) async throws -> BrowserTokens {
        let proof = SignInProof(
            userID: try await server.admin("console", AdminGrant(.auditor, in: nil)), authEpoch: nil, amr: ["pwd"],
            authenticatedAt: server.app.clock.now)
        let ended = try await server.flows.flows.ending.end(
            .account(browser: nil), for: proof, .new(replacing: nil), in: try await server.builtIn,
            from: TestFlows.origin,
            at: server.app.clock.now)
        return BrowserTokens(browser: nil, session: try #require(ended?.session))
    }

    @Test func `an admin's browser is signed in for eight hours, and half an hour without use`() async throws {
        try await TestServer.running { server in
            let (flow, clock) = (server.flows.flows.account, server.app.clock)
            let scope = try await server.builtIn
            let (idle, used) = (try await console(server), try await console(server))
            for step in 1...24 {
                clock.advance(by: .minutes(20) - (step == 24 ? .microseconds(1) : .zero))
                #expect(try await flow.account(by: used, in: scope) != nil, "after \(step) times 20 minutes")
                if step == 1 { #expect(try await flow.session(by: idle, in: scope) != nil) }
                if step == 2 { #expect(try await flow.session(by: idle, in: scope) == nil) }
            }
            clock.advance(by: .microseconds(1))
            #expect(try await flow.account(by: used, in: scope) == nil)
            let late = try await console(server)
            clock.advance(by: .minutes(30))
            #expect(try await flow.session(by: late, in: scope) == nil)
        }
    }
}
