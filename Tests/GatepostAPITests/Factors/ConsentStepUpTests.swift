import Curl
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// A browser that is signed in with one factor, a client of somebody else's, and somebody who has no authenticator yet.
@Suite("Consent and a step-up")
struct ConsentStepUpTests {
    /// Sets an authenticator up in the sign-in that the browser is in; where it leads then.
    @discardableResult
    private func enrol(_ server: TestServer, in browser: TestBrowser) async throws -> HTTPResponse {
        let path = "\(server.hosted)/sign-in/factor"
        #expect(try await browser.submit(path + "/begin", [:]).location == path + "/enrol")
        let page = try await browser.open(path + "/enrol")
        let shown = try #require(page.text.firstMatch(of: /<p class="address secret">([A-Z2-7 ]+)<\/p>/)).1
        let code = TOTPSeed(typed: String(shown)).code(of: TOTPSeed.step(at: server.app.clock.now)).revealed
        #expect(try await browser.submit(path + "/enrol", ["code": code]).status == 200)
        return try await browser.submit(path + "/finish", [:])
    }

    /// What no one was asked for must not wait in the browser: a later sign-in there would answer it.
    private func waiting(_ other: ThirdParty) async throws -> Int64 {
        let now = other.server.app.clock.now
        return try await other.count("authorization_requests where answered_at is null and expires_at > '\(now)'")
    }

    @Test func `where a yes is remembered, acr_values asks for the factor alone`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            try await other.allow(["scope": "openid"], in: browser)
            let asked = try await browser.open(other.path(["scope": "openid", "acr_values": "mfa"]))
            #expect(asked.location == "\(server.hosted)/sign-in/factor")
            let answer = try await enrol(server, in: browser)
            let tokens = try await other.tokens(try #require(answer.parameter("code"), "\(answer.text)"))
            let claims = try ReadToken(try #require(tokens.field("id_token")))
            #expect(claims["acr"] == "mfa")
            let next = try await browser.open(other.path(["scope": "openid", "acr_values": "mfa"]))
            #expect(next.parameter("code") != nil, "neither is asked again")
            #expect(try await other.count("consents") == 1)
        }
    }

    @Test func `where neither is there, the factor comes first and the question after it`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            _ = try await server.browse([:], in: browser)
            let asked = try await browser.open(other.path(["scope": "openid", "acr_values": "mfa"]))
            #expect(asked.location == "\(server.hosted)/sign-in/factor")
            let page = try #require(try await enrol(server, in: browser).location)
            #expect(page.contains("/consent?request="))
            let answer = try await other.say("allow", to: page, in: browser)
            let tokens = try await other.tokens(try #require(answer.parameter("code"), "\(answer.text)"))
            #expect(try ReadToken(try #require(tokens.field("id_token")))["acr"] == "mfa")
        }
    }

    @Test func `prompt=none says what is missing, and never gives a code`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            func silent(_ changes: [String: String]) async throws -> HTTPResponse {
                try await browser.open(other.path(changes.merging(["prompt": "none"]) { $1 }))
            }
            func error(_ changes: [String: String]) async throws -> String? {
                let answer = try await silent(changes)
                #expect(answer.parameter("code") == nil && answer.parameter("state") == "xyz")
                return answer.parameter("error")
            }
            #expect(try await error(["scope": "openid"]) == "login_required", "nobody is signed in")
            _ = try await other.server.browse([:], in: browser)
            let codes = try await other.count("authorization_codes")
            #expect(try await error(["scope": "openid"]) == "consent_required")
            #expect(try await error(["scope": "openid", "acr_values": "mfa"]) == "login_required", "neither is there")
            #expect(try await other.count("authorization_codes") == codes)

            _ = try await other.allow(["scope": "openid"], in: browser)
            #expect(
                try await error(["scope": "openid", "acr_values": "mfa"]) == "login_required", "only the yes is there")
            #expect(try await error(["scope": "openid email"]) == "consent_required")
            #expect(try await silent(["scope": "openid"]).parameter("code") != nil)

            _ = try await browser.open(other.path(["scope": "openid", "acr_values": "mfa"]))
            #expect(try await enrol(other.server, in: browser).parameter("code") != nil)
            #expect(try await silent(["scope": "openid", "acr_values": "mfa"]).parameter("code") != nil)
            #expect(try await error(["scope": "openid email", "acr_values": "mfa"]) == "consent_required")
        }
    }

    /// A client's hidden frame asked every minute with `prompt=none`.
    ///
    /// Each time it was told no, a request stayed behind that waited for a second factor or for consent, and the trail
    /// said that somebody was asked. Who then signed up in the same browser, and followed the link of the mail,
    /// answered the latest of them: they ended at the client, which had long been told no, in place of their account.
    @Test func `what prompt=none was refused waits for nobody, and nobody is said to have been asked`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            _ = try await server.browse([:], in: browser)
            for changes in [["scope": "openid"], ["acr_values": "mfa"]] {
                let answer = try await browser.open(other.path(changes.merging(["prompt": "none"]) { $1 }))
                #expect(answer.parameter("error") != nil)
            }
            #expect(try await waiting(other) == 0)
            #expect(try await other.count("factor_challenges") == 0)
            #expect(try await !server.events().contains("factor.asked"))

            let email = "eve@example.com"
            let begun = try await browser.submit(
                "\(server.hosted)/sign-up", ["email": email, "password": TestServer.password])
            let flow = try #require(begun.parameter("flow").flatMap(FlowID.init), "\(begun.text)")
            let secrets = FlowSecrets(app: server.app.id, flow: flow, kind: .signUp, keys: server.app.keys)
            let link = "\(server.hosted)/links/\(secrets.linkToken.secret.revealed)"
            #expect(try await browser.submit(link, [:]).location == "\(server.hosted)/account")
        }
    }

    @Test func `where the app asks everybody, who has none sets one up, and is asked about the client then`()
        async throws
    {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            try await server.requireSecondFactor()
            let begun = try #require(try await browser.open(other.path(["scope": "openid"])).location)
            let halfway = try await browser.submit(
                begun, ["email": "ada@example.com", "password": TestServer.password])
            #expect(halfway.location == "\(server.hosted)/sign-in/factor", "\(halfway.text)")
            let page = try #require(try await enrol(server, in: browser).location)
            #expect(page.contains("/consent?request="))
            #expect(try await other.count("authorization_codes") == 0)
            let answer = try await other.say("allow", to: page, in: browser)
            let tokens = try await other.tokens(try #require(answer.parameter("code"), "\(answer.text)"))
            #expect(try await server.userInfo(try #require(tokens.field("access_token"))).status == 200)
        }
    }

    @Test func `a factor that is required while the question stands is asked for before the yes counts`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            let page = try await other.asked(["scope": "openid"], in: browser)
            let form = try await other.form("allow", on: page, in: browser)
            try await server.requireSecondFactor()
            let answer = try await browser.submit(page, form)
            let signIn = try #require(answer.location, "\(answer.text)")
            #expect(signIn.contains("/sign-in?request="))
            #expect(try await other.count("consents") == 0)
            #expect(try await other.count("authorization_codes") == 0)

            let halfway = try await browser.submit(
                signIn, ["email": "ada@example.com", "password": TestServer.password])
            #expect(halfway.location == "\(server.hosted)/sign-in/factor")
            #expect(try await enrol(server, in: browser).location == page)
            #expect(try await other.say("allow", to: page, in: browser).parameter("code") != nil)
        }
    }

    @Test func `the question of a session that a step-up has replaced is answered by nobody`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            let page = try await other.asked(["scope": "openid"], in: browser)
            let form = try await other.form("allow", on: page, in: browser)
            // The app's own client asks for more in another tab.
            let asked = try await browser.open(server.authorizePath(["acr_values": "mfa"]))
            #expect(asked.location == "\(server.hosted)/sign-in/factor")
            #expect(try await enrol(server, in: browser).parameter("code") != nil)
            let codes = try await other.count("authorization_codes")
            let answer = try await browser.submit(page, form)
            #expect(answer.location?.contains("/sign-in?request=") == true, "\(answer.text)")
            #expect(try await other.count("consents") == 0)
            #expect(try await other.count("authorization_codes") == codes)
        }
    }

    /// Two people share a browser.
    ///
    /// Ada was asked, and left the page open; Eve signed in for the same request. The form of Ada's page, pressed then,
    /// was taken for Eve's answer: the client got Eve's account from a page that named Ada.
    @Test func `what one person's page says is no answer of whoever has signed in since`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            try await server.verifiedUser("eve@example.com")
            let page = try await other.asked(["scope": "openid"], in: browser)
            let request = try #require(page.split(separator: "=").last)
            let forms = [
                try await other.form("allow", on: page, in: browser),
                try await other.form("cancel", on: page, in: browser),
            ]
            let asked = try await browser.submit(
                "\(server.hosted)/sign-in?request=\(request)",
                ["email": "eve@example.com", "password": TestServer.password])
            #expect(asked.location == page)
            for form in forms {
                #expect(try await browser.submit(page, form).location == page, "she is asked herself")
            }
            #expect(try await browser.submit(page, ["answer": "allow"]).location == page, "a form of nobody's")
            #expect(try await other.count("consents") == 0)
            #expect(try await browser.open(page).text.contains("eve@example.com"))
            #expect(try await other.say("allow", to: page, in: browser).parameter("code") != nil)
        }
    }

    @Test func `a yes to one client is none to another, nor in another browser`() async throws {
        try await ThirdParty.running { other in
            let (server, browser) = (other.server, TestBrowser(other.server))
            let second = ThirdParty(server: server, id: try await server.anotherClient())
            try await server.change(second.id, #"{"party": "third_party", "name": "Second"}"#)
            let page = try await other.asked(["scope": "openid"], in: browser)
            let next = try #require(try await browser.open(second.path(["scope": "openid"])).location)
            #expect(next.contains("/consent?request=") && next != page)
            let form = try await other.form("allow", on: page, in: browser)
            #expect(try await TestBrowser(server).submit(next, form).status == 400)
            #expect(try await browser.submit(page, form).parameter("code") != nil)
            let shown = try await browser.open(next)
            #expect(shown.status == 200 && shown.text.contains("Second"), "the other still asks")
            #expect(try await browser.submit(page, form).status == 400, "answered once")
            let silent = try await browser.open(second.path(["scope": "openid", "prompt": "none"]))
            #expect(silent.parameter("error") == "consent_required")
        }
    }
}

extension TestServer {
    /// Has the app ask everybody for a second factor, as an admin does.
    func requireSecondFactor() async throws {
        let changed = try await admin(
            "PATCH", adminAPI, key: try await apiKey(.admin), json: #"{"settings": {"require_second_factor": true}}"#)
        #expect(changed.status == 200, "\(changed.text)")
    }
}
