import Curl
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// A client of somebody else's, and a user with a second factor: each question has its place, and no answer to one
/// stands for the other.
@Suite("Consent beside a second factor")
struct ConsentWithFactorTests {
    private static let password = TestFlows.password.revealed

    /// A client of others, and Grace, who has an authenticator.
    private static func running(_ body: (ThirdParty, TestFactor) async throws -> Void) async throws {
        try await ThirdParty.running { other in
            let grace = try #require(EmailAddress("grace@example.com"))
            try await body(other, try await other.server.flows.enrolledUser(grace))
        }
    }

    /// Grace's browser after the password, on its way to the client.
    private static func halfway(
        _ other: ThirdParty, _ changes: [String: String?], in browser: TestBrowser
    ) async throws {
        let page = try #require(try await browser.open(other.path(changes)).location)
        let answer = try await browser.submit(page, ["email": "grace@example.com", "password": password])
        #expect(answer.location == "\(other.server.hosted)/sign-in/factor", "\(answer.text)")
    }

    @Test(arguments: [false, true])
    func `the password leads to the factor, the factor to the question, and a yes to the client`(
        byRecoveryCode: Bool
    ) async throws {
        try await Self.running { other, factor in
            let (browser, codes) = (TestBrowser(other.server), try await other.count("authorization_codes"))
            try await Self.halfway(other, ["scope": "openid email"], in: browser)
            #expect(browser.cookie("__Host-gatepost-session") == nil)
            let path = "\(other.server.hosted)/sign-in/factor"
            let code = byRecoveryCode ? try #require(factor.recoveryCodes.first) : factor.nextCode()
            let asked = try await browser.submit(path, ["code": code])
            let page = try #require(asked.location, "\(asked.text)")
            #expect(page.hasPrefix("\(other.server.hosted)/consent?request=arq_"))
            #expect(try await other.count("authorization_codes") == codes)
            #expect(try await other.count("consents") == 0)

            let answer = try await other.say("allow", to: page, in: browser)
            let tokens = try await other.tokens(try #require(answer.parameter("code"), "\(answer.text)"))
            let claims = try ReadToken(try #require(tokens.field("id_token")))
            #expect(claims["acr"] == "mfa" && claims.claims["amr"] as? [String] == ["pwd", "otp", "mfa"])
            let kinds = ["factor.asked", "consent.granted"]
            #expect(try await other.server.events().filter(kinds.contains) == kinds)
        }
    }

    @Test func `between the password and the factor there is no question to answer`() async throws {
        try await Self.running { other, factor in
            let browser = TestBrowser(other.server)
            try await Self.halfway(other, ["scope": "openid"], in: browser)
            let request = try #require(try await browser.open("\(other.server.hosted)/sign-in/factor").requestNamed)
            let (page, signIn) = ("/consent?request=\(request)", "/sign-in?request=\(request)")
            for answer in [
                try await browser.open(other.server.hosted + page),
                try await browser.submit(other.server.hosted + page, ["answer": "allow"]),
                try await browser.submit(other.server.hosted + page, ["answer": "cancel"]),
            ] {
                #expect(answer.location == other.server.hosted + signIn, "\(answer.text)")
            }
            #expect(try await other.count("consents") == 0)
            let path = "\(other.server.hosted)/sign-in/factor"
            let asked = try await browser.submit(path, ["code": factor.nextCode()])
            #expect(asked.location == other.server.hosted + page, "the sign-in goes on")
        }
    }

    @Test func `a no after the factor is told to the client, which gets nothing`() async throws {
        try await Self.running { other, factor in
            let server = other.server
            // What Grace has of the app's own client is her own.
            let own = try await other.count("sessions where client_id is not null")
            let families = try await other.count("token_families")
            let codes = try await other.count("authorization_codes")
            let browser = TestBrowser(server)
            try await Self.halfway(other, ["scope": "openid"], in: browser)
            let asked = try await browser.submit("\(server.hosted)/sign-in/factor", ["code": factor.nextCode()])
            let answer = try await other.say("cancel", to: try #require(asked.location), in: browser)
            #expect(answer.parameter("error") == "access_denied" && answer.parameter("code") == nil, "\(answer.text)")
            #expect(answer.parameter("state") == "xyz")
            #expect(try await other.count("authorization_codes") == codes)
            #expect(try await other.count("sessions where client_id is not null") == own)
            #expect(try await other.count("token_families") == families)
            #expect(try await other.count("consents") == 0)
            #expect(try await server.events().contains("sign_in.refused access_denied"))
            #expect(
                try await browser.open("\(server.hosted)/account").status == 200, "signed in to the pages all the same")
        }
    }

    @Test func `a yes that is remembered stands for no factor`() async throws {
        try await Self.running { other, factor in
            let (server, first) = (other.server, TestBrowser(other.server))
            try await Self.halfway(other, ["scope": "openid"], in: first)
            let asked = try await first.submit("\(server.hosted)/sign-in/factor", ["code": factor.nextCode()])
            _ = try await other.say("allow", to: try #require(asked.location), in: first)
            let codes = try await other.count("authorization_codes")

            for changes in [["scope": "openid"], ["scope": "openid", "acr_values": "mfa"]] {
                let browser = TestBrowser(server)
                try await Self.halfway(other, changes, in: browser)
                #expect(try await other.count("authorization_codes") == codes)
                #expect(try await browser.open(other.path(["prompt": "none"])).parameter("error") == "login_required")
            }
            let browser = TestBrowser(server)
            try await Self.halfway(other, ["scope": "openid"], in: browser)
            let answer = try await browser.submit("\(server.hosted)/sign-in/factor", ["code": factor.nextCode()])
            #expect(answer.parameter("code") != nil, "nothing more is asked: \(answer.location ?? "")")
        }
    }

    @Test func `prompt=consent puts the question behind the factor, whatever was said before`() async throws {
        try await Self.running { other, factor in
            let (server, browser) = (other.server, TestBrowser(other.server))
            func factorPassed() async throws -> HTTPResponse {
                try await browser.submit("\(server.hosted)/sign-in/factor", ["code": factor.nextCode()])
            }
            try await Self.halfway(other, ["scope": "openid"], in: browser)
            _ = try await other.say("allow", to: try #require(try await factorPassed().location), in: browser)

            // Signed in with both: the question alone.
            for acr in [nil, "mfa"] {
                let again = try await browser.open(
                    other.path(["scope": "openid", "prompt": "consent", "acr_values": acr]))
                let page = try #require(again.location)
                #expect(page.contains("/consent?request="))
                #expect(try await other.say("allow", to: page, in: browser).parameter("code") != nil)
            }
            // To be signed in anew: both, in their order.
            try await Self.halfway(other, ["scope": "openid", "prompt": "login consent"], in: browser)
            let page = try #require(try await factorPassed().location)
            #expect(page.contains("/consent?request="))
            #expect(try await other.say("cancel", to: page, in: browser).parameter("error") == "access_denied")
        }
    }

    @Test func `a client that became somebody else's between password and factor gets no code`() async throws {
        try await Self.running { other, factor in
            let server = other.server
            let asked = try await server.post(
                "\(server.api)/sign-ins", server.signInFields("grace@example.com", password: Self.password))
            let held = [
                "challenge": try #require(asked.field("challenge"), "\(asked.text)"),
                "challenge_token": try #require(asked.field("challenge_token")),
            ]
            let codes = try await other.count("authorization_codes")
            try await server.change(server.app.client, #"{"party": "third_party"}"#)
            let answer = try await server.post(
                "\(server.api)/sign-ins/factor/verify", held.merging(["code": factor.nextCode()]) { $1 })
            #expect(answer.problem == .invalidFlow, "\(answer.text)")
            #expect(try await other.count("authorization_codes") == codes)
        }
    }
}

extension HTTPResponse {
    /// The request that a page's links name.
    var requestNamed: String? { text.firstMatch(of: /request=(arq_[a-z0-9]+)/).map { String($0.1) } }
}
