import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// Linking an identity to a user who is signed in.
@Suite("Linking an identity")
struct IdentityLinkTests {
    private let ada = "ada@example.com"
    private let eve = "eve@example.com"
    private let nobody = BrowserTokens(browser: nil, session: nil)

    private func running(_ body: (ProviderWorld) async throws -> Void) async throws {
        try await ProviderWorld.running { world async throws in
            for name in [ada, eve] { try await world.test.verifiedUser(try #require(EmailAddress(name))) }
            // Whoever links need not have the provider's address.
            world.provider.behave { $0.email = "someone@elsewhere.example" }
            try await body(world)
        }
    }

    private func isRefused(_ code: ProblemCode, _ body: () async throws -> Void) async throws {
        do {
            try await body()
            Issue.record("it was done")
        } catch let refused as TestFlows.StepRefused {
            #expect(refused.refusal?.code == code)
        }
    }

    @Test func `the session that asked has it linked, whatever the provider's address, and it signs in`() async throws {
        try await running { world async throws in
            let tokens = try await world.hosted(ada)
            let way = try await world.begin(.link(try await world.asking(tokens)), by: tokens)
            #expect(try await world.finish(at: way.location, by: tokens).isLinked)
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)

            let answer = try #require(try await world.signIn().answer)
            let session = try #require(try await world.test.exchange(answer.code))
            #expect(try await world.test.session(session)?.user.email == ada)
        }
    }

    @Test func `linking twice is linked once, and on record once`() async throws {
        try await running { world async throws in
            let tokens = try await world.hosted(ada)
            for _ in 1...2 {
                let way = try await world.begin(.link(try await world.asking(tokens)), by: tokens)
                #expect(try await world.finish(at: way.location, by: tokens).isLinked)
            }
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)
        }
    }

    @Test func `whoever is lured into finishing somebody else's way links nothing`() async throws {
        try await running { world async throws in
            let thief = try await world.hosted(eve)
            let way = try await world.begin(.link(try await world.asking(thief)), by: thief)
            let victim = try await world.hosted(ada)
            for tokens in [victim, nobody] {
                let outcome = try await world.finish(at: way.location, by: tokens)
                #expect(outcome.refusal?.code == .invalidProviderAnswer)
            }
            // Not even in the browser that was sent, once somebody else is signed in there.
            let swapped = BrowserTokens(browser: thief.browser, session: victim.session)
            #expect(try await world.finish(at: way.location, by: swapped).refusal?.code == .sessionEnded)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `a sign-in of long ago does not link`() async throws {
        try await running { world async throws in
            let tokens = try await world.hosted(ada)
            let tokensOfApp = try await world.test.tokens(try #require(EmailAddress(ada)))
            let asking = try await (world.asking(tokens), world.test.asking(tokensOfApp))
            world.test.clock.advance(by: .minutes(10) + .seconds(1))
            try await isRefused(.recentSignInRequired) { _ = try await world.begin(.link(asking.0), by: tokens) }
            try await isRefused(.recentSignInRequired) { _ = try await start(world, asking.1) }
        }
    }

    @Test func `what changed meanwhile links nothing: the password, the session, the provider`() async throws {
        for change in [
            "update users set auth_epoch = 9", "update sessions set ended_at = now(), end_reason = 'signed_out'",
        ] {
            try await running { world async throws in
                let tokens = try await world.hosted(ada)
                let way = try await world.begin(.link(try await world.asking(tokens)), by: tokens)
                let asking = try await world.test.asking(try await world.test.tokens(try #require(EmailAddress(ada))))
                let code = try await code(world, asking)
                try await world.change(change)
                #expect(try await world.finish(at: way.location, by: tokens).refusal?.code == .sessionEnded)
                #expect(try await redeem(world, code, asking)?.code == .sessionEnded)
                #expect(try await world.identities().isEmpty)
            }
        }
    }

    @Test func `an identity that is somebody's, and a second one of an issuer, are not linked`() async throws {
        try await running { world async throws in
            let first = try await world.hosted(eve)
            let way = try await world.begin(.link(try await world.asking(first)), by: first)
            #expect(try await world.finish(at: way.location, by: first).isLinked)

            let second = try await world.hosted(ada)
            let taken = try await world.begin(.link(try await world.asking(second)), by: second)
            #expect(try await world.finish(at: taken.location, by: second).refusal?.code == .conflict)

            world.provider.behave { $0.subject = "subject-2" }
            let more = try await world.begin(.link(try await world.asking(first)), by: first)
            #expect(try await world.finish(at: more.location, by: first).refusal?.code == .conflict)
            #expect(try await world.identities() == ["subject-1 \(eve)"])
        }
    }

    @Test func `an app redeems the code that the browser brings: once, soon, and only for the session that began`()
        async throws
    {
        try await running { world async throws in
            let asking = try await world.test.asking(try await world.test.tokens(try #require(EmailAddress(ada))))
            let thief = try await world.test.asking(try await world.test.tokens(try #require(EmailAddress(eve))))
            let late = try await code(world, asking)
            world.test.clock.advance(by: .seconds(61))
            #expect(try await redeem(world, late, asking)?.code == .invalidCode)

            let code = try await code(world, asking)
            #expect(try await redeem(world, code, thief)?.code == .invalidCode)
            #expect(try await world.identities().isEmpty)
            let outcomes = try await race(16) { try await redeem(world, code, asking) }
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)
        }
    }

    @Test func `a way that links goes back only to an address of the session's own client`() async throws {
        try await running { world async throws in
            let asking = try await world.test.asking(try await world.test.tokens(try #require(EmailAddress(ada))))
            try await isRefused(.invalidRedirectURI) {
                _ = try await start(world, asking, backTo: "https://evil.example/")
            }
        }
    }

    private func start(
        _ world: ProviderWorld, _ asking: Asking, backTo uri: String = TestFlows.redirectURI
    ) async throws -> ProviderSignInFlow.Begun {
        let name = try #require(ProviderName(ProviderWorld.name))
        let start = try await world.test.flows.providerSignIn.startLink(
            name, for: asking, client: world.test.app.client, backTo: uri, state: "of-the-app", in: world.test.scope,
            from: TestFlows.origin)
        switch start {
        case .begun(let begun): return begun
        case .refused(let refusal): throw TestFlows.StepRefused(refusal: refusal)
        }
    }

    /// The code that the browser brings back to the app.
    private func code(_ world: ProviderWorld, _ asking: Asking) async throws -> OneTimeToken {
        let begun = try await start(world, asking)
        let back = try #require(try await world.finish(at: begun.location, by: nobody).sentBack)
        #expect(back.hasPrefix("https://app.example/callback?link_code=gil_") && back.contains("state=of-the-app"))
        #expect(try await world.identities().isEmpty)
        let text = try #require(TestProvider.query(of: back)["link_code"])
        return try #require(OneTimeToken(.identityLink, presented: text))
    }

    /// Why a code was not redeemed; nil if it was.
    private func redeem(_ world: ProviderWorld, _ code: OneTimeToken, _ asking: Asking) async throws -> Refusal? {
        let outcome = try await world.test.flows.providerSignIn.redeemLink(
            code, for: asking, in: world.test.scope, from: TestFlows.origin)
        guard case .refused(let refusal) = outcome else { return nil }
        return refusal
    }
}
