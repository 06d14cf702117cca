import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// A second factor that the app, a role or a client asks for, also of whoever has none yet.
@Suite("Second factor: required", .showsSeed)
struct FactorRequirementTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
    }

    private func required() async throws -> AppScope {
        var settings = AppSettings()
        settings.requireSecondFactor = true
        return try await test.scope(with: settings)
    }

    /// Sets an authenticator up within a sign-in, and goes on.
    private func enrol(
        _ held: FactorChallengeFlow.Held, in scope: AppScope
    ) async throws -> (seed: TOTPSeed, outcome: FactorChallengeFlow.Outcome) {
        let flow = test.flows.factorChallenge
        guard case .done(let waiting) = try await flow.beginEnrolment(held, in: scope, from: TestFlows.origin) else {
            throw TestFlows.StepRefused(refusal: nil)
        }
        let seed = TOTPSeed(typed: waiting.secret.revealed)
        #expect(try await flow.finish(held, in: scope, from: TestFlows.origin).refusal?.code == .invalidFlow)
        let confirmed = try await flow.confirmEnrolment(
            held, code: seed.code(of: TOTPSeed.step(at: test.clock.now)).revealed, in: scope,
            from: TestFlows.origin)
        guard case .done(let codes) = confirmed else { throw TestFlows.StepRefused(refusal: nil) }
        #expect(codes.count == RecoveryCode.count)
        return (seed, try await flow.finish(held, in: scope, from: TestFlows.origin))
    }

    @Test func `who has none sets one up in the sign-in, and is signed in with two`() async throws {
        let scope = try await required()
        let held = try await test.challenge(ada, in: scope)
        #expect(try await test.answer(held, "000000", in: scope).refusal?.code == .conflict)

        let (_, outcome) = try await enrol(held, in: scope)

        let code = try #require(outcome.answer?.code)
        let tokens = try #require(try await test.exchange(code))
        #expect(try await test.session(tokens)?.amr == ["pwd", "otp", "mfa"])
        let finished = try await test.flows.factorChallenge.finish(held, in: scope, from: TestFlows.origin)
        #expect(finished.refusal?.code == .invalidFlow)
        let kinds = try await test.events().map(\.kind)
        #expect(kinds.contains("factor.asked") && kinds.contains("factor.enrolled"))
    }

    @Test func `a session without one stands no more once the app asks for it`() async throws {
        let tokens = try await test.tokens(ada)
        let code = try await test.signIn(ada)
        let scope = try await required()
        let session = try await test.flows.session.session(ofAccessToken: tokens.accessToken.revealed, in: scope)
        #expect(session.refusal?.code == .sessionEnded)
        let refreshed = try await test.flows.refresh.refresh(
            tokens.refreshToken, by: test.app.client, idTokensBy: .es256, in: scope, from: TestFlows.origin)
        #expect(refreshed == nil)
        let presented = CodePresentation(
            code: code, clientID: test.app.client, redirectURI: TestFlows.redirectURI,
            challenge: try TestFlows.challenge())
        #expect(
            try await test.flows.codeExchange.exchange(presented, idTokensBy: .es256, in: scope, from: TestFlows.origin)
                == nil)
    }

    @Test func `a role asks for it as long as somebody has it`() async throws {
        let tokens = try await test.tokens(ada)
        let user = try #require(try await test.session(tokens)).user.id
        let role: RoleID = test.app.newID()
        var content = try #require(RoleContent(name: "treasurer", description: "", permissions: []))
        content.requiresFactor = true
        try await test.database.batch(in: test.scope) { [content] batch in
            batch.insertRole(role, content, at: test.clock.now)
            _ = batch.assignRole(role, to: user, at: test.clock.now)
        }
        #expect(try await test.session(tokens) == nil)
        #expect(try await test.refresh(tokens.refreshToken) == nil)
        _ = try await test.challenge(ada)

        _ = try await test.database.batch(in: test.scope) { $0.unassignRole(role, from: user) }
        #expect(try await test.session(tokens) != nil)
        _ = try await test.signIn(ada)
    }

    @Test func `who has one does not remove it where it is required, but replaces it`() async throws {
        let scope = try await required()
        let held = try await test.challenge(ada, in: scope)
        let (seed, outcome) = try await enrol(held, in: scope)
        let exchanged = try #require(outcome.answer?.code)
        let tokens = try #require(try await test.exchange(exchanged))
        let asking = try await test.asking(tokens)
        test.clock.advance(by: .minutes(1))
        let code = seed.code(of: TOTPSeed.step(at: test.clock.now)).revealed
        let proof = FactorFlow.Proof(password: TestFlows.password, code: code)
        let refusal = try await test.flows.factors.remove(for: asking, proof, in: scope, from: TestFlows.origin)
        #expect(refusal?.code == .conflict && refusal?.detailCode == "factor_required")
        let begun = try await test.flows.factors.begin(for: asking, proof, in: scope, from: TestFlows.origin)
        guard case .done = begun else {
            Issue.record("\(begun)")
            return
        }
    }

    @Test func `the built-in app asks everybody unless its settings say otherwise, and others nobody`() {
        #expect(AppSettings().requiresSecondFactor(in: .gatepost))
        var settings = AppSettings()
        settings.requireSecondFactor = false
        #expect(!settings.requiresSecondFactor(in: .gatepost))
        #expect(!AppSettings().requiresSecondFactor(in: test.app.id))
    }
}
