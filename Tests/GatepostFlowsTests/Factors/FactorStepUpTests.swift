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

    @Test func `acr_values asks a browser that is signed in for the second factor alone`() async throws {
        let tokens = try await test.signedInBrowser(ada)
        guard case .answered = try await test.authorize([:], by: tokens),
            case .answered = try await test.authorize(["acr_values": "1fa mfa"], by: tokens)
        else {
            Issue.record("a session of one factor does not do for a client that wants no more")
            return
        }
        guard case .challenged(let challenge, _) = try await test.authorize(["acr_values": "mfa"], by: tokens) else {
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
        guard case .answered = try await test.authorize(["acr_values": "mfa"], by: after) else {
            Issue.record("asked again")
            return
        }
        #expect(try await test.flows.account.session(by: tokens, in: test.scope) == nil)
    }

    @Test func `prompt=none asks nobody, and says that one factor is not enough`() async throws {
        let tokens = try await test.signedInBrowser(ada)
        guard
            case .sentBack(let location) = try await test.authorize(
                ["acr_values": "mfa", "prompt": "none"], by: tokens)
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
        guard case .answered = try await test.authorize(["max_age": "60"], by: tokens) else {
            Issue.record("a sign-in of just now is not recent enough")
            return
        }
        test.clock.advance(by: .seconds(61))
        guard case .begun = try await test.authorize(["max_age": "60"], by: tokens) else {
            Issue.record("nobody was asked")
            return
        }
    }

    @Test func `a first factor that was proved too early for a client is not made young by the second`() async throws {
        _ = try await test.enrol(test.tokens(ada))
        guard
            case .begun(let id, let holder) = try await test.authorize(
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

    /// A session of weeks ago, or a copy of its cookie, once set up an authenticator that nobody had asked for: the
    /// thief's session was one of two factors from there on, and all of the user's own ended.
    @Test func `a session that was left open sets up no authenticator, its user signs in again`() async throws {
        let tokens = try await test.signedInBrowser(ada)
        test.clock.advance(by: Lifetimes.recentSignIn + .seconds(1))
        guard case .begun = try await test.authorize(["acr_values": "mfa"], by: tokens) else {
            Issue.record("the old session was taken for a sign-in of this moment")
            return
        }
        guard
            case .sentBack(let location) = try await test.authorize(
                ["acr_values": "mfa", "prompt": "none"], by: tokens)
        else {
            Issue.record("a page was shown, or the client answered")
            return
        }
        #expect(location.contains("error=login_required"))
        guard case .answered = try await test.authorize([:], by: tokens) else {
            Issue.record("the session does not do for one factor any more")
            return
        }
    }

    @Test func `a challenge of a session goes stale with its sign-in where an authenticator is to be set up`()
        async throws
    {
        let tokens = try await test.signedInBrowser(ada)
        test.clock.advance(by: Lifetimes.recentSignIn - .seconds(1))
        guard case .challenged(let challenge, _) = try await test.authorize(["acr_values": "mfa"], by: tokens) else {
            Issue.record("nobody was asked")
            return
        }
        let flow = test.flows.factorChallenge
        guard
            case .done(let waiting) = try await flow.beginEnrolment(
                challenge.held, in: test.scope, from: TestFlows.origin)
        else {
            Issue.record("a sign-in of just now sets nothing up")
            return
        }
        test.clock.advance(by: .seconds(2))
        let seed = TOTPSeed(typed: waiting.secret.revealed)
        let confirmed = try await flow.confirmEnrolment(
            challenge.held, code: seed.code(of: TOTPSeed.step(at: test.clock.now)).revealed, in: test.scope,
            from: TestFlows.origin)
        guard case .refused(let refusal) = confirmed else {
            Issue.record("confirmed by a session that nobody has proved to be theirs")
            return
        }
        #expect(refusal.code == .recentSignInRequired)
    }
}
