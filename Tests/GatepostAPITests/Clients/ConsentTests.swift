import Curl
import GatepostModel
import TestSupport
import Testing

/// A client of somebody else's gets nothing of a user before they have said yes, and nothing after they took it back.
@Suite("Consent")
struct ConsentTests {
    @Test func `nothing goes to a client of others before the person has said yes`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            let page = try await other.asked(["scope": "openid email"], in: browser)
            for _ in 0..<2 {
                let shown = try await browser.open(page)
                #expect(shown.status == 200, "\(shown.text)")
                for text in ["Other", "ada@example.com", "app.example", "your email address"] {
                    #expect(shown.text.contains(text), "\(text)")
                }
                #expect(!shown.text.contains("your language"))
                #expect(shown.header("Content-Security-Policy")?.contains("form-action 'self' https:") == true)
            }
            #expect(try await other.server.send("HEAD", page).status == 400, "without the browser's cookie")
            #expect(try await other.count("authorization_codes") == 0)
            #expect(try await other.count("consents") == 0)

            let answer = try await other.say("allow", to: page, in: browser)
            #expect(answer.location?.hasPrefix("\(TestFlows.redirectURI)?code=gac_") == true, "\(answer.text)")
            #expect(answer.parameter("state") == "xyz" && answer.parameter("iss") != nil)
            let tokens = try await other.tokens(try #require(answer.parameter("code")))
            #expect(tokens.field("scope") == "openid email")
            let events = try await other.server.events()
            #expect(events.count { $0.hasPrefix("consent.granted") } == 1)

            let again = try await browser.open(other.path(["scope": "openid email", "prompt": "none"]))
            #expect(again.parameter("code") != nil, "it is remembered: \(again.location ?? "")")
        }
    }

    @Test func `a no is told to the client, and is remembered by nobody`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            let page = try await other.asked(["scope": "openid"], in: browser)
            let answer = try await other.say("cancel", to: page, in: browser)
            #expect(answer.location?.hasPrefix("\(TestFlows.redirectURI)?error=access_denied&") == true)
            #expect(answer.parameter("state") == "xyz" && answer.parameter("iss") != nil)
            #expect(try await other.server.events().contains("sign_in.refused access_denied"))
            for form: KeyValuePairs in [["answer": "allow"], ["answer": "cancel"]] {
                #expect(try await browser.submit(page, form).status == 400, "the request is over")
            }
            #expect(try await other.count("consents") == 0)
            #expect(try await other.count("authorization_codes") == 0)
            let asked = try await browser.open(other.path(["scope": "openid"]))
            #expect(asked.location?.contains("/consent?request=") == true, "the browser is signed in, and asked again")
        }
    }

    @Test func `more than was allowed is asked for, less and the same is not`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            try await other.allow(["scope": "openid email"], in: browser)
            for scope in ["openid email", "openid", "", "email unknown"] {
                let answer = try await browser.open(other.path(["scope": scope]))
                #expect(answer.parameter("code") != nil, "\(scope)")
            }
            let more = try await browser.open(other.path(["scope": "openid profile"]))
            let page = try #require(more.location)
            #expect(page.contains("/consent?request="))
            _ = try await other.say("allow", to: page, in: browser)
            // What was allowed before stays.
            let all = try await browser.open(other.path(["scope": "openid email profile"]))
            #expect(all.parameter("code") != nil)
        }
    }

    @Test func `prompt=none without consent is told so, and leaves no question behind`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            let nobody = try await browser.open(other.path(["prompt": "none"]))
            #expect(nobody.parameter("error") == "login_required")
            _ = try await other.asked([:], in: browser)
            let asked = try await browser.open(other.path(["prompt": "none", "scope": "openid"]))
            #expect(asked.parameter("error") == "consent_required", "\(asked.location ?? "")")
            #expect(asked.parameter("state") == "xyz")
            #expect(try await other.count("authorization_codes") == 0)
            let open = try await other.server.texts(
                """
                select id::text as text from authorization_requests
                 where client_id = (select id from clients where party = 'third_party')
                   and answered_at is null and expires_at > created_at
                """)
            #expect(open.count == 1, "the question that the person was asked, and none of the silent ones")
        }
    }

    @Test func `prompt=consent puts the question whatever was said before, to the app's own client too`() async throws {
        try await ThirdParty.running { other in
            let server = other.server
            let browser = TestBrowser(server)
            try await other.allow(["scope": "openid"], in: browser)
            let again = try await browser.open(other.path(["scope": "openid", "prompt": "consent"]))
            #expect(again.location?.contains("/consent?request=") == true, "\(again.text)")
            let own = try await browser.open(server.authorizePath(["prompt": "consent"]))
            let page = try #require(own.location)
            #expect(page.contains("/consent?request="))
            #expect(try await other.say("allow", to: page, in: browser).parameter("code") != nil)
            let later = try await browser.open(server.authorizePath(["prompt": "consent"]))
            #expect(later.location?.contains("/consent?request=") == true, "a yes to one is none to the next")
            let silent = try await browser.open(server.authorizePath(["prompt": "none"]))
            #expect(silent.parameter("code") != nil)
            let both = try await browser.open(server.authorizePath(["prompt": "none consent"]))
            #expect(both.parameter("error") == "invalid_request")
        }
    }

    @Test func `only the browser and the person who were asked can answer`() async throws {
        try await ThirdParty.running { other in
            let server = other.server
            let (browser, stranger) = (TestBrowser(server), TestBrowser(server))
            let page = try await other.asked(["scope": "openid"], in: browser)
            _ = try await server.browse([:], in: stranger)
            #expect(try await stranger.open(page).status == 400)
            #expect(try await stranger.submit(page, ["answer": "allow"]).status == 400)
            // Somebody else signs in in the same browser: they have not been asked.
            try await server.verifiedUser("eve@example.com")
            _ = try await server.browse(["prompt": "login"], in: browser, email: "eve@example.com")
            let request = try #require(page.split(separator: "=").last)
            for answer in [
                try await browser.open(page), try await browser.submit(page, ["answer": "allow"]),
                try await browser.submit(page, ["answer": "cancel"]),
            ] {
                #expect(answer.location == "\(server.hosted)/sign-in?request=\(request)", "\(answer.text)")
            }
            #expect(try await other.count("consents") == 0)
            // They sign in for it, are asked themselves, and answer for themselves.
            let signIn = "\(server.hosted)/sign-in?request=\(request)"
            let asked = try await browser.submit(signIn, ["email": "eve@example.com", "password": TestServer.password])
            #expect(asked.location == page)
            #expect(try await other.say("allow", to: page, in: browser).parameter("code") != nil)
        }
    }

    @Test func `a form without the token of its page answers nothing`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            let page = try await other.asked(["scope": "openid"], in: browser)
            let forged = try await other.server.submit(page, form: ["answer": "allow"])
            #expect(forged.status == 400 && forged.location == nil)
            let bare = try await other.server.post(page, form: ["answer": "allow"])
            #expect(bare.status == 403)
            #expect(try await browser.submit(page, ["answer": "yes"]).status == 400)
            #expect(try await other.count("consents") == 0)
        }
    }

    @Test func `whoever was deactivated while the question stood is answered for by nobody`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            let page = try await other.asked(["scope": "openid"], in: browser)
            try await other.server.deactivateEverybody()
            let answer = try await browser.submit(page, ["answer": "allow"])
            #expect(answer.location?.contains("/sign-in?request=") == true)
            #expect(try await other.count("consents") == 0)
            #expect(try await other.count("authorization_codes") == 0)
        }
    }

    @Test func `of twenty yeses at once to one question one is answered, in ten rounds`() async throws {
        try await ThirdParty.running { other in
            let browser = TestBrowser(other.server)
            _ = try await other.asked([:], in: browser)
            for round in 1...min(Race.rounds, 10) {
                let begun = try await browser.open(other.path(["scope": "openid", "prompt": "consent"]))
                let page = try #require(begun.location)
                let form = try await other.form("allow", on: page, in: browser)
                let answers = try await race(20) { try await browser.submit(page, form) }
                #expect(answers.count { $0.parameter("code") != nil } == 1)
                #expect(answers.count { $0.status == 400 } == 19)
                #expect(try await other.count("authorization_codes") == Int64(round))
                #expect(try await other.server.events().count { $0.hasPrefix("consent.granted") } == round)
            }
        }
    }

    @Test func `a client of others has no way around the page, and none into the account`() async throws {
        try await ThirdParty.running { other in
            let server = other.server
            var fields = server.signInFields()
            fields["client_id"] = "\(other.id)"
            #expect(try await server.post("\(server.api)/sign-ins", fields).problem == .permissionDenied)
            fields["password"] = nil
            #expect(try await server.post("\(server.api)/sign-ins/email", fields).problem == .permissionDenied)
            fields["email"] = nil
            fields["provider"] = ProviderWorld.name
            _ = try await server.app.addProvider(issuer: "https://example.com")
            let provider = try await server.post("\(server.api)/provider-sign-ins", fields)
            #expect(provider.problem == .permissionDenied, "\(provider.text)")

            let code = try await other.allow(["scope": "openid"], in: TestBrowser(server))
            let access = try #require(try await other.tokens(code).field("access_token"))
            #expect(try await server.userInfo(access).status == 200)
            #expect(try await server.me(access).problem == .permissionDenied)
            for path in ["sessions", "me/identities", "me/consents"] {
                let answer = try await server.send(
                    "GET", "\(server.api)/\(path)", headers: ["Authorization": "Bearer \(access)"])
                #expect(answer.problem == .permissionDenied, "\(path)")
            }
        }
    }
}
