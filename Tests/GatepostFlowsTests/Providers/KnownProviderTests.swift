import Crypto
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// What the kinds of providers do in a way of their own.
@Suite("Known providers")
struct KnownProviderTests {
    /// There and back with a GitHub of the suite's own.
    private func gitHub(
        emails: String, token: String = #"{"access_token": "gho_abc"}"#,
        _ check: (TestFlows, HTTPSink, ProviderSignInFlow.Outcome) async throws -> Void
    ) async throws {
        let test = try await TestFlows.make(providers: try .loopback())
        let answer: @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { request in
            switch request.target {
            case "/login/oauth/access_token": HTTPSink.answer(200, token)
            case "/api/v3/user": HTTPSink.answer(200, #"{"id": 583231, "login": "octocat"}"#)
            case "/api/v3/user/emails": HTTPSink.answer(200, emails)
            default: HTTPSink.answer(404)
            }
        }
        try await HTTPSink.running(answer) { sink in
            let issuer = "http://127.0.0.1:\(sink.port)"
            try await test.app.addProvider("github", kind: .github, issuer: issuer)
            let location = try await test.start("github").location
            #expect(location.hasPrefix("\(issuer)/login/oauth/authorize?"))
            let sent = TestProvider.query(of: location)
            #expect(sent["scope"] == "read:user user:email" && sent["nonce"] == nil)
            let outcome = try await test.take("github", ["state": sent["state"] ?? "", "code": "abc"])
            try await check(test, sink, outcome)
        }
    }

    @Test func `GitHub's API says who somebody is, and its primary address counts if it is verified`() async throws {
        let emails = """
            [{"email": "other@example.com", "primary": false, "verified": true},
             {"email": "octocat@example.com", "primary": true, "verified": true}]
            """
        try await gitHub(emails: emails) { test, sink, outcome in
            #expect(outcome.answer != nil)
            let users = try await test.database.batch(in: test.scope) { $0.users(UserFilter(), after: nil, limit: 9) }
            #expect(users.map(\.email) == ["octocat@example.com"])
            let holder = try await test.database.batch(in: test.scope) {
                $0.identityHolder(issuer: "http://127.0.0.1:\(sink.port)", subject: "583231")
            }
            #expect(holder?.userID == users.first?.id)
            let calls = sink.requests.filter { $0.target.hasPrefix("/api") }
            #expect(
                calls.allSatisfy { $0.header("authorization") == "Bearer gho_abc" && $0.header("user-agent") != nil })
        }
    }

    @Test func `an address that GitHub has not verified opens no account`() async throws {
        let emails = #"[{"email": "octocat@example.com", "primary": true, "verified": false}]"#
        try await gitHub(emails: emails) { _, _, outcome in #expect(outcome.isWaiting) }
    }

    @Test func `a code that GitHub does not take signs nobody in, though it answers 200`() async throws {
        try await gitHub(emails: "[]", token: #"{"error": "bad_verification_code"}"#) { _, sink, outcome in
            #expect(outcome.refusal?.code == .invalidProviderAnswer)
            #expect(!sink.requests.contains { $0.target.hasPrefix("/api") })
        }
    }

    @Test func `Apple gets a client secret that its key signed, and answers by a form`() async throws {
        let key = P256.Signing.PrivateKey()
        let test = try await TestFlows.make(providers: try .loopback())
        let clock = test.clock
        let provider = TestProvider { clock.now.seconds }
        try await HTTPSink.running({ provider.answer($0) }) { sink in
            let issuer = "http://127.0.0.1:\(sink.port)"
            try await test.app.addProvider("apple", kind: .apple, issuer: issuer, secret: key.pemRepresentation) {
                ($0.teamID, $0.keyID) = ("ABCDE12345", "FGHIJ67890")
            }
            let location = try await test.start("apple").location
            #expect(TestProvider.query(of: location)["response_mode"] == "form_post")
            _ = try await test.take("apple", provider.signIn(at: location))

            let request = try #require(sink.requests.last { $0.target == "/token" })
            let form = TestProvider.query(of: "?" + String(decoding: request.body, as: UTF8.self))
            let parts = try #require(form["client_secret"]).split(separator: ".").map(String.init)
            let header = try #require(Base64URL.decode(parts[0].utf8)),
                claims = try #require(Base64URL.decode(parts[1].utf8))
            let signature = try P256.Signing.ECDSASignature(
                rawRepresentation: try #require(Base64URL.decode(parts[2].utf8)))
            #expect(key.publicKey.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))
            let read = try #require(try JSONSerialization.jsonObject(with: Data(claims)) as? [String: Any])
            #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"ES256","kid":"FGHIJ67890","typ":"JWT"}"#)
            #expect(read["iss"] as? String == "ABCDE12345" && read["sub"] as? String == TestProvider.clientID)
            #expect(read["aud"] as? String == issuer && read["iat"] as? Int64 == clock.now.seconds)
            #expect(read["exp"] as? Int64 == clock.now.seconds + 300)
        }
    }

    @Test func `Apple's truths as texts are read, and nothing else is taken for one`() async throws {
        for (text, isTaken) in [("true", true), ("false", false), ("1", false), ("TRUE", false)] {
            try await ProviderWorld.running { world async throws in
                world.provider.behave { $0.claims["email_verified"] = .text(text) }
                let outcome = try await world.signIn()
                #expect((outcome.answer != nil) == isTaken && outcome.isWaiting != isTaken, "\(text)")
            }
        }
    }
}

extension TestFlows {
    private var browser: OneTimeToken { OneTimeToken(.browser, bytes: Array(app.id.uuid.bytes + app.id.uuid.bytes)) }

    /// Sends a browser of the test's own to a provider.
    fileprivate func start(_ name: String) async throws -> ProviderWorld.Way {
        let (request, holder) = try await app.waitingRequest(browser: browser)
        guard let name = ProviderName(name) else { throw StepRefused(refusal: nil) }
        let start = try await flows.providerSignIn.start(
            name, for: .request(request), by: BrowserTokens(browser: holder, session: nil), in: scope, from: Self.origin
        )
        switch start {
        case .sent(let location, _): return .init(location: location, request: request, browser: holder)
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// Comes back to it.
    fileprivate func take(_ name: String, _ parameters: [String: String]) async throws -> ProviderSignInFlow.Outcome {
        guard let name = ProviderName(name) else { throw StepRefused(refusal: nil) }
        return try await flows.providerSignIn.take(
            .init(state: parameters["state"], code: parameters["code"], error: nil, issuer: nil), from: name,
            by: BrowserTokens(browser: browser, session: nil), in: scope, from: Self.origin)
    }
}
