import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Sign-up page")
struct SignUpPageTests {
    static let form: KeyValuePairs<String, String> = ["email": "ada@example.com", "password": TestServer.password]

    /// A sign-up that was begun on the page, and what its mail says.
    private struct Begun {
        let browser: TestBrowser
        let mailPage: String
        let link: String
        let code: String

        init(_ server: TestServer, _ browser: TestBrowser, _ changes: [String: String?] = [:]) async throws {
            let signIn = try #require(try await browser.open(server.authorizePath(changes)).location)
            let page = signIn.replacing("/sign-in?", with: "/sign-up?")
            #expect(try await browser.open(page).status == 200)
            let sent = try await browser.submit(page, SignUpPageTests.form)
            #expect(sent.status == 303, "\(sent.text)")
            mailPage = try #require(sent.location)
            let flow = try #require(sent.parameter("flow").flatMap(FlowID.init))
            let secrets = FlowSecrets(app: server.app.id, flow: flow, kind: .signUp, keys: server.app.keys)
            self.browser = browser
            link = "\(server.hosted)/links/\(secrets.linkToken.secret.revealed)"
            code = secrets.code.revealed
        }
    }

    @Test func `from the client to an account, by the typed code, to tokens`() async throws {
        try await TestServer.running { server in
            let begun = try await Begun(server, TestBrowser(server))
            let page = try await begun.browser.open(begun.mailPage)
            #expect(page.status == 200)
            #expect(page.text.contains("ada@example.com") && page.text.contains("one-time-code"))
            let wrong = try await begun.browser.submit(begun.mailPage, ["code": "00000000"])
            #expect(wrong.status == 422 && wrong.text.contains("This code is wrong."))

            let answer = try await begun.browser.submit(begun.mailPage, ["code": begun.code])

            #expect(answer.status == 303, "\(answer.text)")
            #expect(answer.location?.hasPrefix(TestFlows.redirectURI) == true)
            #expect(answer.parameter("state") == "xyz")
            #expect(try await server.exchange(try #require(answer.parameter("code"))).status == 200)
            #expect(try await begun.browser.open("\(server.hosted)/account").status == 200)
        }
    }

    @Test func `the link goes on where the sign-up began, in its browser`() async throws {
        try await TestServer.running { server in
            let begun = try await Begun(server, TestBrowser(server))
            #expect(try await begun.browser.open(begun.link).text.contains("Confirm address"))
            let answer = try await begun.browser.submit(begun.link, [:])
            #expect(answer.status == 303, "\(answer.text)")
            #expect(try await server.exchange(try #require(answer.parameter("code"))).status == 200)
            #expect(try await begun.browser.submit(begun.link, [:]).status == 410)
        }
    }

    @Test func `the link elsewhere asks for a password and signs nobody in`() async throws {
        try await TestServer.running { server in
            let begun = try await Begun(server, TestBrowser(server))
            let (elsewhere, other) = (TestBrowser(server), TestBrowser(server))
            _ = try await other.open(server.authorizePath())
            for browser in [elsewhere, other] {
                #expect(try await browser.open(begun.link).text.contains("opened on another device"))
            }
            let done = try await elsewhere.submit(begun.link, ["password": "a lighthouse above seven cold harbours"])
            #expect(done.status == 200)
            #expect(elsewhere.cookie("__Host-gatepost-session") == nil)
            // The password of the sign-up is forgotten, and its browser signs nobody in any more.
            #expect(try await begun.browser.submit(begun.mailPage, ["code": begun.code]).status == 400)
            #expect(begun.browser.cookie("__Host-gatepost-session") == nil)
        }
    }

    @Test func `the pages of a sign-up are those of its browser`() async throws {
        try await TestServer.running { server in
            let begun = try await Begun(server, TestBrowser(server))
            let other = TestBrowser(server)
            _ = try await other.open(server.authorizePath())
            for browser in [TestBrowser(server), other] {
                #expect(try await browser.open(begun.mailPage).status == 400)
                #expect(try await browser.submit(begun.mailPage, ["code": begun.code]).status == 400)
                let resend = begun.mailPage.replacing("/mail?", with: "/resend?")
                #expect(try await browser.submit(resend, [:]).status == 400)
            }
            #expect(try await begun.browser.submit(begun.mailPage, ["code": begun.code]).status == 303)
        }
    }

    @Test func `known and unknown addresses see the same pages`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser("ada@example.com")
            let known = try await Begun(server, TestBrowser(server))
            let page = try await known.browser.open(known.mailPage)
            #expect(page.status == 200)
            #expect(page.text.contains("ada@example.com"))
            #expect(try await known.browser.submit(known.mailPage, ["code": known.code]).status == 422)
        }
    }

    @Test func `the mail can be sent again, within its limit`() async throws {
        try await TestServer.running { server in
            let begun = try await Begun(server, TestBrowser(server))
            let resend = begun.mailPage.replacing("/mail?", with: "/resend?")
            let answer = try await begun.browser.submit(resend, [:])
            #expect(answer.status == 303)
            #expect(try await begun.browser.open(try #require(answer.location)).text.contains("once more"))
            for _ in 0..<3 { _ = try await begun.browser.submit(resend, [:]) }
            #expect(try await begun.browser.submit(resend, [:]).status == 429)
        }
    }

    @Test func `a weak password is explained, in the reader's language`() async throws {
        try await TestServer.running { server in
            let browser = TestBrowser(server)
            let page = "\(server.hosted)/sign-up?ui_locales=de"
            let answer = try await browser.submit(page, ["email": "ada@example.com", "password": "kurz"])
            #expect(answer.status == 422)
            #expect(answer.text.contains("mindestens 15 Zeichen"))
            #expect(answer.text.contains(#"value="ada@example.com""#) && !answer.text.contains("kurz"))
        }
    }

    @Test func `nobody opens an account in the built-in app`() async throws {
        try await TestServer.running { server in
            let page = "/apps/\(AppID.gatepost)/sign-up"
            let browser = TestBrowser(server)
            let (shown, sent) = (try await browser.open(page), try await browser.submit(page, Self.form))
            #expect(shown.status == 404 && sent.status == 404)
        }
    }
}
