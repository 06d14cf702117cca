import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Account pages")
struct AccountPageTests {
    /// A browser in which somebody is signed in to the account's own pages.
    private static func signedIn(_ server: TestServer, _ email: String = "ada@example.com") async throws -> TestBrowser
    {
        let browser = TestBrowser(server)
        let answer = try await browser.submit(
            "\(server.hosted)/sign-in", ["email": email, "password": TestServer.password])
        #expect(answer.location == "\(server.hosted)/account", "\(answer.text)")
        return browser
    }

    /// The sessions whose end the page offers.
    private static func ends(_ page: HTTPResponse) -> [String] {
        page.text.matches(of: /action="[^"]*\/account\/sessions\/(ses_\w+)\/end"/).map { String($0.1) }
    }

    @Test func `it lists the sessions and ends one of them, with its refresh tokens`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let tokens = try await server.session()
            let browser = try await Self.signedIn(server)
            let page = try await browser.open("\(server.hosted)/account")
            #expect(page.status == 200)
            #expect(page.text.contains("ada@example.com") && page.text.contains("this browser"))
            let session = try #require(Self.ends(page).first)
            #expect(Self.ends(page).count == 1)

            let answer = try await browser.submit("\(server.hosted)/account/sessions/\(session)/end", [:])

            #expect(answer.location == "\(server.hosted)/account?done=ended")
            #expect(try await server.me(tokens.access).problem == .sessionEnded)
            #expect(try await server.refresh(tokens.refresh).field("error") == "invalid_grant")
            #expect(Self.ends(try await browser.open("\(server.hosted)/account")) == [])
            #expect(try await server.events().contains("session.ended signed_out"))
        }
    }

    @Test func `a session of somebody else is not ended`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await server.verifiedUser("eve@example.com")
            let tokens = try await server.session()
            let ada = try await Self.signedIn(server)
            let session = try #require(Self.ends(try await ada.open("\(server.hosted)/account")).first)
            let eve = try await Self.signedIn(server, "eve@example.com")

            for browser in [eve, TestBrowser(server)] {
                _ = try await browser.submit("\(server.hosted)/account/sessions/\(session)/end", [:])
            }

            #expect(try await server.me(tokens.access).status == 200)
        }
    }

    @Test func `all others end at once, and the one that asks goes on`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let tokens = try await [server.session(), server.session()]
            let (browser, other) = (try await Self.signedIn(server), try await Self.signedIn(server))

            let answer = try await browser.submit("\(server.hosted)/account/sessions/end-others", [:])

            #expect(answer.status == 303)
            for token in tokens { #expect(try await server.me(token.access).problem == .sessionEnded) }
            #expect(try await other.open("\(server.hosted)/account").status == 303)
            #expect(try await browser.open("\(server.hosted)/account").status == 200)
        }
    }

    @Test func `signing out asks first, ends the session and takes the cookie away`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = try await Self.signedIn(server)
            let thief = TestBrowser(server)
            thief.plant("__Host-gatepost-session", of: browser)
            #expect(try await browser.open("\(server.hosted)/sign-out").text.contains("ada@example.com"))
            #expect(try await browser.open("\(server.hosted)/account").status == 200)

            let answer = try await browser.submit("\(server.hosted)/sign-out", [:])

            #expect(answer.status == 303)
            #expect(browser.cookie("__Host-gatepost-session") == nil)
            #expect(try await browser.open("\(server.hosted)/sign-out").text.contains("You are signed out"))
            #expect(try await thief.open("\(server.hosted)/account").location == "\(server.hosted)/sign-in")
        }
    }

    @Test func `forms of other sites end nothing`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            _ = try await server.session()
            let before = try await server.state()
            for path in ["sign-out", "account/sessions/end-others"] {
                let answer = try await server.submit(
                    "\(server.hosted)/\(path)", form: [:], headers: ["Sec-Fetch-Site": "cross-site"])
                #expect(answer.status == 403)
            }
            #expect(try await server.state() == before)
        }
    }

    @Test func `the cookie of one app is nothing in another`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let other = try await server.otherApp()
            let token = try #require(try await Self.signedIn(server).cookie("__Host-gatepost-session"))
            for path in ["account", "sign-in"] {
                let answer = try await server.send(
                    "GET", "/apps/\(other.id)/\(path)",
                    headers: ["Cookie": "__Host-gatepost-session-\(other.id)=\(token)"])
                #expect(answer.location == (path == "account" ? "/apps/\(other.id)/sign-in" : nil))
                #expect(!answer.text.contains("ada@example.com"))
            }
        }
    }

    @Test func `without a session one is asked to sign in`() async throws {
        try await TestServer.running { server in
            let answer = try await TestBrowser(server).open("\(server.hosted)/account")
            #expect(answer.location == "\(server.hosted)/sign-in")
        }
    }

    @Test func `the app's colour and logo are on its pages, and nothing else may be loaded`() async throws {
        try await TestServer.running { server in
            try await server.tamper(
                """
                update apps set settings = '{"brand_color": "#ffee00", "logo_url": "https://cdn.example.com/l.svg"}'
                 where id = \(server.sqlID)
                """)
            let page = try await server.send("GET", "\(server.hosted)/sign-in")
            let policy = try #require(page.header("Content-Security-Policy"))
            #expect(policy.contains("img-src https://cdn.example.com/l.svg;"))
            #expect(policy.matches(of: /'sha256-[^']+'/).count == 2)
            #expect(page.text.contains(#"<img src="https://cdn.example.com/l.svg" alt="Test app">"#))
            // Yellow on white could not be read.
            #expect(
                !page.text.contains("--accent:#ffee00;--accent-hover") || page.text.contains("prefers-color-scheme"))
        }
    }
}
