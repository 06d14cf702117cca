import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Sign-in with a provider")
struct ProviderSignInTests {
    private let ada = "ada@example.com"

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    @Test func `whoever is new gets an account, and the client its code`() async throws {
        try await ProviderWorld.running { world async throws in
            let answer = try #require(try await world.signIn().answer)
            #expect(answer.redirectURI == TestFlows.redirectURI && answer.state == "the client's state")
            let tokens = try #require(try await world.test.exchange(answer.code))
            let session = try #require(try await world.test.session(tokens))
            #expect(session.user.email == ada && session.user.emailVerifiedAt != nil)
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().contains("identity.linked"))
        }
    }

    @Test func `whoever comes again is the same person, whatever their address is by now`() async throws {
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            world.provider.behave { $0.email = "new@example.com" }
            #expect(try await world.signIn().answer != nil)
            #expect(try await world.users() == [ada])
            world.provider.behave { ($0.subject, $0.email) = ("subject-2", "eve@example.com") }
            #expect(try await world.signIn().answer != nil)
            #expect(try await world.users() == [ada, "eve@example.com"])
        }
    }

    @Test func `the browser is sent with state, nonce and an S256 challenge, and nothing secret`() async throws {
        try await ProviderWorld.running { world async throws in
            let location = try await world.begin().location
            let sent = TestProvider.query(of: location)
            #expect(location.hasPrefix("\(world.issuer)/authorize?"))
            #expect(sent["response_type"] == "code" && sent["scope"] == "openid email")
            #expect(sent["code_challenge_method"] == "S256" && sent["code_challenge"]?.count == 43)
            #expect(sent["nonce"]?.count == 43 && sent["state"]?.hasPrefix("gps_") == true)
            #expect(
                sent["redirect_uri"]
                    == "\(TestFlows.baseURL)/apps/\(world.test.app.id)/providers/upstream/callback")
            #expect(!location.contains(TestProvider.secret))
        }
    }

    @Test func `an address that has an account is not enough: it is linked by signing in to that`() async throws {
        try await ProviderWorld.running { world async throws in
            try await world.test.verifiedUser(address(ada))
            let way = try await world.begin()
            #expect(try await world.finish(way).isWaiting)
            #expect(try await world.identities().isEmpty)

            let outcome = try await world.test.flows.signIn.signIn(
                address(ada), password: TestFlows.password, for: way.request, by: way.tokens, in: world.test.scope,
                from: TestFlows.origin)
            guard case .ended = outcome else { throw TestFlows.StepRefused(refusal: nil) }
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)
            #expect(try await world.signIn().answer != nil)
        }
    }

    @Test func `what was proved in one browser is linked in no other (abuse case 2, CVE-2026-9087)`() async throws {
        try await ProviderWorld.running { world async throws in
            try await world.test.verifiedUser(address(ada))
            #expect(try await world.finish(try await world.begin()).isWaiting)
            let (request, browser) = try await world.test.app.waitingRequest()
            _ = try await world.test.flows.signIn.signIn(
                address(ada), password: TestFlows.password, for: request,
                by: BrowserTokens(browser: browser, session: nil), in: world.test.scope, from: TestFlows.origin)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `what was proved is linked to no other account that signs in`() async throws {
        try await ProviderWorld.running { world async throws in
            for name in [ada, "eve@example.com"] { try await world.test.verifiedUser(address(name)) }
            let way = try await world.begin()
            #expect(try await world.finish(way).isWaiting)
            _ = try await world.test.flows.signIn.signIn(
                address("eve@example.com"), password: TestFlows.password, for: way.request, by: way.tokens,
                in: world.test.scope, from: TestFlows.origin)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `an address that the provider does not answer for opens no account and is linked to none`() async throws
    {
        for isVerified in [false, nil] as [Bool?] {
            try await ProviderWorld.running { world async throws in
                world.provider.behave { $0.emailIsVerified = isVerified }
                #expect(try await world.signIn().isWaiting)
                #expect(try await world.users().isEmpty)

                try await world.test.verifiedUser(address(ada))
                let way = try await world.begin()
                #expect(try await world.finish(way).isWaiting)
                _ = try await world.test.flows.signIn.signIn(
                    address(ada), password: TestFlows.password, for: way.request, by: way.tokens,
                    in: world.test.scope, from: TestFlows.origin)
                #expect(try await world.identities().isEmpty, "the account was proved before, by somebody else perhaps")
            }
        }
    }

    @Test func `an address that waits to be verified is not taken over`() async throws {
        try await ProviderWorld.running { world async throws in
            _ = try await world.test.signUp(address(ada))
            #expect(try await world.signIn().isWaiting)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `a provider that opens no accounts signs in only whom it knows`() async throws {
        try await ProviderWorld.running(row: { $0.allowsSignUp = false }) { world async throws in
            #expect(try await world.signIn().refusal?.code == .signUpNotAllowed)
            #expect(try await world.isUntouched())
        }
    }

    @Test func `without an address nobody is signed up`() async throws {
        for email in [nil, "no address", "a@b"] as [String?] {
            try await ProviderWorld.running { world async throws in
                world.provider.behave { $0.email = email }
                #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer)
                #expect(try await world.refusalReasons() == ["provider_no_email"])
                #expect(try await world.isUntouched())
            }
        }
    }

    @Test func `the provider's tokens are kept only where the app asks, sealed for their row`() async throws {
        try await ProviderWorld.running(row: { $0.keepsTokens = true }) { world async throws in
            #expect(try await world.signIn().answer != nil)
            let kept = try #require(try await world.keptTokens().first)
            let text = String(decoding: kept.sealed, as: UTF8.self)
            #expect(!text.contains("provider-access-token"))
            let opened = try ProviderTokensSeal.open(
                kept.sealed, of: kept.identity, in: world.test.app.id, keys: world.test.app.keys)
            #expect(String(decoding: opened, as: UTF8.self).contains("provider-access-token"))
            #expect(throws: SealBroken.self) {
                try ProviderTokensSeal.open(
                    kept.sealed, of: world.test.app.newID(), in: world.test.app.id, keys: world.test.app.keys)
            }
        }
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            #expect(try await world.keptTokens().isEmpty)
        }
    }
}
