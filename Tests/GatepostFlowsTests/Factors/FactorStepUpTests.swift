import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// A client that asks for a second factor, or for a fresh sign-in, of a browser that is signed in already.
@Suite("Second factor: step-up", .showsSeed)
struct FactorStepUpTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
    }

    private func begin(
        _ changes: [String: String], by tokens: BrowserTokens
    ) async throws -> AuthorizeFlow.Outcome {
        var values = [
            "response_type": "code", "client_id": "\(test.app.client)", "redirect_uri": TestFlows.redirectURI,
            "code_challenge": try TestFlows.challenge().text, "code_challenge_method": "S256",
        ]
        values.merge(changes) { $1 }
        return try await test.flows.authorize.begin(
            AuthorizationParameters(values.map { ($0.key, $0.value) }), locale: { _ in nil }, by: tokens,
            in: test.scope, from: TestFlows.origin)
    }

    /// A browser in which the user is signed in by password.
    private func signedIn() async throws -> BrowserTokens {
        let browser = OneTimeToken.make(.browser, random: test.app.random)
        let outcome = try await test.flows.signIn.signIn(
            ada, password: TestFlows.password, for: nil, by: BrowserTokens(browser: browser, session: nil),
            in: test.scope, from: TestFlows.origin)
        guard case .ended(let ended) = outcome else { throw TestFlows.StepRefused(refusal: nil) }
        return BrowserTokens(browser: browser, session: ended.session)
    }

    @Test func `acr_values asks a browser that is signed in for the second factor alone`() async throws {
        let tokens = try await signedIn()
        guard case .answered = try await begin([:], by: tokens),
            case .answered = try await begin(["acr_values": "1fa mfa"], by: tokens)
        else {
            Issue.record("a session of one factor does not do for a client that wants no more")
            return
        }
        guard case .challenged(let challenge, _) = try await begin(["acr_values": "mfa"], by: tokens) else {
            Issue.record("nobody was asked")
            return
        }
        #expect(!challenge.hasFactor)
        let flow = test.flows.factorChallenge
        guard
            case .done(let waiting) = try await flow.beginEnrolment(
                challenge.held, in: test.scope, from: TestFlows.origin)
        else {
            Issue.record("no authenticator can be set up")
            return
        }
        let seed = TOTPSeed(typed: waiting.secret.revealed)
        _ = try await flow.confirmEnrolment(
            challenge.held, code: seed.code(of: TOTPSeed.step(at: test.clock.now)).revealed, in: test.scope,
            from: TestFlows.origin)
        guard case .ended(let ended) = try await flow.finish(challenge.held, in: test.scope, from: TestFlows.origin),
            let answer = ended.answer
        else {
            Issue.record("the request is not answered")
            return
        }
        let exchanged = try #require(try await test.exchange(answer.code))
        #expect(try await test.session(exchanged)?.amr == ["pwd", "otp", "mfa"])
        // The browser's session is another one now, of two factors, which answers the next client at once.
        let after = BrowserTokens(browser: tokens.browser, session: ended.session)
        guard case .answered = try await begin(["acr_values": "mfa"], by: after) else {
            Issue.record("asked again")
            return
        }
        #expect(try await test.flows.account.session(by: tokens, in: test.scope) == nil)
    }

    @Test func `prompt=none asks nobody, and says that one factor is not enough`() async throws {
        let tokens = try await signedIn()
        guard case .sentBack(let location) = try await begin(["acr_values": "mfa", "prompt": "none"], by: tokens)
        else {
            Issue.record("a page was shown, or the client answered")
            return
        }
        #expect(location.contains("error=login_required"))
    }

    @Test func `max_age asks for both factors again`() async throws {
        let factor = try await test.enrol(test.tokens(ada))
        let (request, browser) = try await test.app.waitingRequest()
        let outcome = try await test.flows.signIn.signIn(
            ada, password: TestFlows.password, for: request, by: BrowserTokens(browser: browser, session: nil),
            in: test.scope, from: TestFlows.origin)
        guard case .ended(let asked) = outcome, let challenge = asked.challenge,
            case .ended(let ended) = try await test.answer(challenge.held, factor.nextCode())
        else {
            Issue.record("\(outcome)")
            return
        }
        let tokens = BrowserTokens(browser: browser, session: ended.session)
        guard case .answered = try await begin(["max_age": "60"], by: tokens) else {
            Issue.record("a sign-in of just now is not recent enough")
            return
        }
        test.clock.advance(by: .seconds(61))
        guard case .begun = try await begin(["max_age": "60"], by: tokens) else {
            Issue.record("nobody was asked")
            return
        }
    }

    @Test func `a first factor that was proved too early for a client is not made young by the second`() async throws {
        _ = try await test.enrol(test.tokens(ada))
        guard
            case .begun(let id, let holder) = try await begin(
                ["prompt": "login"], by: BrowserTokens(browser: nil, session: nil))
        else {
            Issue.record("nobody was asked")
            return
        }
        let proof = SignInProof(
            userID: try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) }).id,
            authEpoch: nil, amr: ["pwd"], authenticatedAt: test.clock.now - .seconds(1))
        let ended = try await test.flows.ending.end(
            .request(id, heldBy: holder), for: proof, .none, in: test.scope, from: TestFlows.origin,
            at: test.clock.now)
        #expect(ended == nil)
    }
}
