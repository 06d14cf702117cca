import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// Ways to a provider for which no client waits.
@Suite("Provider without a client")
struct ProviderAccountTests {
    private let ada = "ada@example.com"
    private let nobody = BrowserTokens(browser: nil, session: nil)

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    @Test func `whoever is new gets an account and is signed in to its pages`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin(.account)
            #expect(try await world.finish(at: way.location, by: way.tokens).isAtAccount)
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)

            let again = try await world.begin(.account, by: way.tokens)
            #expect(try await world.finish(at: again.location, by: again.tokens).isAtAccount)
            #expect(try await world.users() == [ada])
        }
    }

    @Test func `another browser does not bring the answer`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin(.account)
            let other = BrowserTokens(browser: .make(.browser, random: world.test.app.random), session: nil)
            for tokens in [other, nobody] {
                let outcome = try await world.finish(at: way.location, by: tokens)
                #expect(outcome.refusal?.code == .invalidProviderAnswer)
            }
            #expect(try await world.finish(at: way.location, by: way.tokens).isAtAccount)
        }
    }

    @Test func `a verified address that has an account is linked by signing in to the account in that browser`()
        async throws
    {
        try await ProviderWorld.running { world async throws in
            try await world.test.verifiedUser(address(ada))
            let way = try await world.begin(.account)
            #expect(try await world.finish(at: way.location, by: way.tokens).isWaiting)
            _ = try await world.hosted(ada)
            #expect(try await world.identities().isEmpty, "it was another browser")

            _ = try await world.hosted(ada, browser: way.tokens.browser)
            #expect(try await world.identities() == ["subject-1 \(ada)"])
            #expect(try await world.eventKinds().filter { $0 == "identity.linked" }.count == 1)
        }
    }

    @Test func `it waits for an hour, and for nobody else`() async throws {
        try await ProviderWorld.running { world async throws in
            for name in [ada, "eve@example.com"] { try await world.test.verifiedUser(address(name)) }
            let way = try await world.begin(.account)
            #expect(try await world.finish(at: way.location, by: way.tokens).isWaiting)
            _ = try await world.hosted("eve@example.com", browser: way.tokens.browser)
            world.test.clock.advance(by: .hours(1) + .seconds(1))
            _ = try await world.hosted(ada, browser: way.tokens.browser)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `an address that the provider does not answer for is linked to nobody`() async throws {
        try await ProviderWorld.running { world async throws in
            world.provider.behave { $0.emailIsVerified = false }
            let way = try await world.begin(.account)
            #expect(try await world.finish(at: way.location, by: way.tokens).isWaiting)
            try await world.test.verifiedUser(address(ada))
            _ = try await world.hosted(ada, browser: way.tokens.browser)
            #expect(try await world.identities().isEmpty)
        }
    }

    @Test func `an app's own screens get a code at their redirect URI, from any browser`() async throws {
        try await ProviderWorld.running { world async throws in
            let begun = try await start(world)
            let back = try #require(try await world.finish(at: begun.location, by: nobody).sentBack)
            #expect(back.hasPrefix("https://app.example/callback?code=gac_"))
            #expect(back.contains("state=of-the-app") && back.contains("iss=https"))
            let text = try #require(TestProvider.query(of: back)["code"])
            let code = try #require(OneTimeToken(.authorizationCode, presented: text))
            #expect(
                try await world.test.exchange(code, verifier: "another-verifier-of-forty-three-characters-0") == nil)
            let tokens = try #require(try await world.test.exchange(code))
            #expect(try await world.test.session(tokens)?.user.email == ada)
        }
    }

    @Test func `what does not sign in goes back to the app as an error of OAuth`() async throws {
        try await ProviderWorld.running { world async throws in
            try await world.test.verifiedUser(address(ada))
            let begun = try await start(world)
            let back = try await world.finish(at: begun.location, by: nobody).sentBack
            #expect(back?.hasPrefix("https://app.example/callback?error=interaction_required&") == true)
            #expect(try await world.identities().isEmpty)

            let second = try await start(world)
            let state = try #require(TestProvider.query(of: second.location)["state"])
            let parameters = ["state": state, "error": "access_denied"]
            let declined = try await world.finish(at: second.location, by: nobody, with: parameters).sentBack
            #expect(declined?.contains("error=access_denied") == true)
            #expect(try await world.finish(at: second.location, by: nobody).refusal?.code == .invalidProviderAnswer)
        }
    }

    @Test func `an app begins only for a client of its own, with a registered address behind TLS`() async throws {
        try await ProviderWorld.running { world async throws in
            let flow = world.test.flows.providerSignIn
            let (scope, name) = (world.test.scope, try #require(ProviderName(ProviderWorld.name)))
            let port = "http://127.0.0.1/callback"
            let native: ClientID = world.test.app.newID()
            let uris = [port].compactMap(RedirectURI.init)
            try await world.test.database.batch(in: scope) { batch in
                batch.insertClient(native, named: "Native", redirectURIs: uris, at: world.test.clock.now)
            }
            let challenge = try TestFlows.challenge()
            let (client, app) = (world.test.app.client, world.test.app)
            for (id, uri, code) in [
                (client, "https://evil.example/", ProblemCode.invalidRedirectURI),
                (native, port, .invalidRedirectURI), (app.newID(), TestFlows.redirectURI, .unknownClient),
            ] {
                let start = try await flow.start(
                    name, for: .init(id: id, redirectURI: uri, challenge: challenge), state: nil, in: scope,
                    from: TestFlows.origin)
                guard case .refused(let refusal) = start else { throw TestFlows.StepRefused(refusal: nil) }
                #expect(refusal.code == code)
            }
            #expect(try await world.users().isEmpty)
        }
    }

    private func start(_ world: ProviderWorld) async throws -> ProviderSignInFlow.Begun {
        let name = try #require(ProviderName(ProviderWorld.name))
        let start = try await world.test.flows.providerSignIn.start(
            name, for: world.test.client(), state: "of-the-app", in: world.test.scope, from: TestFlows.origin)
        switch start {
        case .begun(let begun): return begun
        case .refused(let refusal): throw TestFlows.StepRefused(refusal: refusal)
        }
    }
}
