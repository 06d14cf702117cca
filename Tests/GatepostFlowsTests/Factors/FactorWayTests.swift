import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Whatever way somebody comes in by, the second factor stands before the code and the session.
///
/// CVE-2025-64103 (Zitadel) and GHSA-wc43-73w7-x2f5 (Kratos): a session counted as one of two factors after the first.
@Suite("Second factor: no way around", .showsSeed)
struct FactorWayTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// That a sign-in gave nothing but a challenge, and that this gives both.
    private func check(
        _ ended: SignInEnding.Ended?, _ test: TestFlows, _ factor: TestFactor, amr: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let ended = try #require(ended, sourceLocation: sourceLocation)
        #expect(ended.answer == nil && ended.session == nil, sourceLocation: sourceLocation)
        let challenge = try #require(ended.challenge, sourceLocation: sourceLocation)
        #expect(challenge.hasFactor, sourceLocation: sourceLocation)
        let outcome = try await test.answer(challenge.held, factor.nextCode())
        let answer = try #require(outcome.answer, "\(outcome)", sourceLocation: sourceLocation)
        let tokens = try #require(try await test.exchange(answer.code), sourceLocation: sourceLocation)
        let session = try #require(try await test.session(tokens), sourceLocation: sourceLocation)
        #expect(session.amr == amr && session.user.id == factor.user, sourceLocation: sourceLocation)
    }

    /// How many sessions and unused codes there are.
    private func openings(_ test: TestFlows) async throws -> Int64 {
        try await test.read(
            """
            select (select count(*) from sessions where app_id = \(test.app.id) and ended_at is null)
                 + (select count(*) from authorization_codes where app_id = \(test.app.id) and redeemed_at is null) as n
            """
        ) { try $0.get("n", as: Int64.self) }[0]
    }

    @Test func `a password alone gives no code to a client with screens of its own`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let before = try await openings(test)
        let held = try await test.challenge(ada)
        #expect(try await openings(test) == before)

        let code = try #require(try await test.answer(held, factor.nextCode()).answer?.code)
        let tokens = try #require(try await test.exchange(code))
        #expect(try await test.session(tokens)?.amr == ["pwd", "otp", "mfa"])
    }

    @Test func `a password alone gives neither code nor session on the page`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let (request, browser) = try await test.app.waitingRequest()
        let before = try await openings(test)
        let outcome = try await test.flows.signIn.signIn(
            ada, password: TestFlows.password, for: request, by: BrowserTokens(browser: browser, session: nil),
            in: test.scope, from: TestFlows.origin)
        guard case .ended(let ended) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try await openings(test) == before)
        try await check(ended, test, factor, amr: ["pwd", "otp", "mfa"])
    }

    @Test func `a mail's code alone gives neither`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let outcome = try await test.finishEmailSignIn(try await test.beginEmailSignIn(ada))
        guard case .ended(let ended) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        try await check(ended, test, factor, amr: ["otp", "mfa"])
    }

    @Test func `a mail's link alone gives neither`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let (request, browser) = try await test.app.waitingRequest()
        let tokens = BrowserTokens(browser: browser, session: nil)
        let begun = try test.started(
            try await test.flows.emailSignIn.start(
                ada, for: request, by: tokens, locale: nil, in: test.scope, from: TestFlows.origin))
        let outcome = try await test.flows.emailSignIn.confirm(
            test.secrets(of: begun.flow, .emailSignIn).linkToken, by: tokens, in: test.scope, from: TestFlows.origin)
        guard case .ended(let ended) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        try await check(ended, test, factor, amr: ["otp", "mfa"])
    }

    @Test func `a provider's word alone gives neither`() async throws {
        try await ProviderWorld.running { world in
            let factor = try await enrolled(in: world)
            guard case .ended(let ended) = try await world.signIn() else {
                Issue.record("the provider's answer did not end the way")
                return
            }
            try await check(ended, world.test, factor, amr: ["fed", "otp", "mfa"])
        }
    }

    @Test func `a provider's word alone brings no code to an app with screens of its own`() async throws {
        try await ProviderWorld.running { world in
            let factor = try await enrolled(in: world)
            let name = try #require(ProviderName(ProviderWorld.name))
            let start = try await world.test.flows.providerSignIn.start(
                name, for: world.test.client(), state: "theirs", in: world.test.scope, from: TestFlows.origin)
            guard case .begun(let begun) = start else {
                Issue.record("\(start)")
                return
            }
            let outcome = try await world.finish(at: begun.location, by: BrowserTokens(browser: nil, session: nil))
            #expect(outcome.sentBack == nil)
            guard case .ended(let ended) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            try await check(ended, world.test, factor, amr: ["fed", "otp", "mfa"])
        }
    }

    /// A user whom the provider knows, and who has an authenticator.
    private func enrolled(in world: ProviderWorld) async throws -> TestFactor {
        let email = try EmailAddress.of("ada@example.com")
        let test = world.test
        let factor = try await test.enrolledUser(email)
        try await test.app.addIdentity(to: "\(factor.user)", "subject-1", issuer: world.issuer)
        return factor
    }

    /// OWASP ASVS 6.4.3; CVE-2026-18963 (Keycloak).
    @Test func `a password reset signs nobody in and leaves the second factor where it is`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let link = test.secrets(of: try await test.beginReset(ada).flow, .passwordReset).linkToken
        #expect(try await test.reset(by: link).user == factor.user)
        #expect(try await openings(test) == 0)

        let held = try await test.challenge(ada, password: TestFlows.newPassword)
        #expect(try await test.answer(held, "000000").refusal?.code == .invalidCode)
        #expect(try await test.answer(held, factor.nextCode()).answer != nil)
    }

    @Test func `a reset ends a sign-in that waits for its second factor`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let held = try await test.challenge(ada)
        let link = test.secrets(of: try await test.beginReset(ada).flow, .passwordReset).linkToken
        _ = try await test.reset(by: link)
        #expect(try await test.answer(held, factor.nextCode()).refusal?.code == .invalidFlow)
    }

    @Test func `a refresh says what was proved in its session, and never more`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let one = try await test.tokens(ada)
        let factor = try await test.enrol(test.tokens(ada))
        // Whatever was signed in without the second factor is over once there is one.
        #expect(try await test.refresh(one.refreshToken) == nil)

        let two = try await test.tokens(ada, with: factor)
        let again = try #require(try await test.refresh(two.refreshToken))
        #expect(try await test.session(again)?.amr == ["pwd", "otp", "mfa"])
    }

    @Test func `a code that was issued before the second factor is exchanged for nothing`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let tokens = try await test.tokens(ada)
        let code = try await test.signIn(ada)
        _ = try await test.enrol(tokens)
        #expect(try await test.exchange(code) == nil)
    }

    @Test func `a challenge is its holder's, in its app, for ten minutes, and once`() async throws {
        let test = try await TestFlows.make()
        let factor = try await test.enrolledUser(ada)
        let held = try await test.challenge(ada)
        let other = FactorChallengeFlow.Held(id: held.id, token: .make(.factorChallenge, random: test.app.random))
        #expect(try await test.answer(other, factor.nextCode()).refusal?.code == .invalidFlow)
        let foreign = try await TestFlows.make(clock: test.clock)
        #expect(try await foreign.answer(held, factor.code).refusal?.code == .invalidFlow)

        #expect(try await test.answer(held, factor.code).answer != nil)
        #expect(try await test.answer(held, factor.nextCode()).refusal?.code == .invalidFlow)

        let late = try await test.challenge(ada)
        test.clock.advance(by: Lifetimes.factorChallenge)
        #expect(try await test.answer(late, factor.nextCode()).refusal?.code == .invalidFlow)
    }

    @Test func `whoever has a second factor sets up no other one with the first alone`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.enrolledUser(ada)
        let held = try await test.challenge(ada)
        let begun = try await test.flows.factorChallenge.beginEnrolment(
            held, in: test.scope, from: TestFlows.origin)
        guard case .refused(let refusal) = begun else {
            Issue.record("an authenticator was set up")
            return
        }
        #expect(refusal.code == .conflict)
        let confirmed = try await test.flows.factorChallenge.confirmEnrolment(
            held, code: "000000", in: test.scope, from: TestFlows.origin)
        guard case .refused = confirmed else {
            Issue.record("an authenticator was set up")
            return
        }
        let finished = try await test.flows.factorChallenge.finish(held, in: test.scope, from: TestFlows.origin)
        #expect(finished.refusal?.code == .invalidFlow)
    }
}
