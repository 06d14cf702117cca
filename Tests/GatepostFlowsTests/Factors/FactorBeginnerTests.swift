import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// An authenticator that waits belongs to whoever began it.
///
/// It once belonged to the user: whoever knew the password began one, and the user, who was asked for one at their next
/// sign-in, was shown that seed, scanned it and confirmed it. From there on both had the second factor.
@Suite("Second factor: who began it", .showsSeed)
struct FactorBeginnerTests {
    let test: TestFlows
    let ada: EmailAddress
    let scope: AppScope
    private var flow: FactorChallengeFlow { test.flows.factorChallenge }

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
        var settings = AppSettings()
        settings.requireSecondFactor = true
        scope = try await test.scope(with: settings)
    }

    private func begin(_ held: FactorChallengeFlow.Held) async throws -> WaitingFactor {
        guard case .done(let waiting) = try await flow.beginEnrolment(held, in: scope, from: TestFlows.origin) else {
            throw TestFlows.StepRefused(refusal: nil)
        }
        return waiting
    }

    private func code(of waiting: WaitingFactor) -> String {
        TOTPSeed(typed: waiting.secret.revealed).code(of: TOTPSeed.step(at: test.clock.now)).revealed
    }

    private func confirm(_ held: FactorChallengeFlow.Held, _ code: String) async throws -> ProblemCode? {
        switch try await flow.confirmEnrolment(held, code: code, in: scope, from: TestFlows.origin) {
        case .done: nil
        case .refused(let refusal): refusal.code
        }
    }

    @Test func `whoever knows the password has nobody confirm a seed of theirs`() async throws {
        let (thief, owner) = (try await test.challenge(ada, in: scope), try await test.challenge(ada, in: scope))
        let planted = try await begin(thief)
        #expect(try await flow.waiting(owner, in: scope) == nil)

        let own = try await begin(owner)

        #expect(own.secret.revealed != planted.secret.revealed)
        // The same again for whoever began it, and gone for the other one.
        #expect(try await begin(owner).secret.revealed == own.secret.revealed)
        #expect(try await flow.waiting(thief, in: scope) == nil)
        #expect(try await confirm(thief, code(of: planted)) == .invalidFlow)
        #expect(try await confirm(owner, code(of: planted)) == .invalidCode)
        #expect(try await confirm(owner, code(of: own)) == nil)
    }

    @Test func `another sign-in does not confirm what was begun here, though it knows the seed`() async throws {
        let (owner, other) = (try await test.challenge(ada, in: scope), try await test.challenge(ada, in: scope))
        let own = try await begin(owner)
        #expect(try await confirm(other, code(of: own)) == .invalidFlow)
        #expect(try await confirm(owner, code(of: own)) == nil)
    }

    @Test func `neither another session nor a sign-in sees what a session has begun`() async throws {
        let optional = try await test.scope(with: AppSettings())
        let (asking, elsewhere) = (
            try await test.asking(test.tokens(ada)), try await test.asking(test.tokens(ada))
        )
        let proof = FactorFlow.Proof(password: TestFlows.password, code: nil)
        let begun = try await test.flows.factors.begin(for: asking, proof, in: optional, from: TestFlows.origin)
        let waiting = try test.value(begun)

        #expect(try await test.flows.factors.waiting(for: elsewhere, in: optional) == nil)
        #expect(try await test.flows.factors.waiting(for: asking, in: optional)?.id == waiting.id)
        let confirmed = try await test.flows.factors.confirm(
            for: elsewhere, code: code(of: waiting), in: optional, from: TestFlows.origin)
        guard case .refused(let refusal) = confirmed else {
            Issue.record("confirmed by a session that has proved nothing")
            return
        }
        #expect(refusal.code == .invalidFlow)
        let held = try await test.challenge(ada, in: scope)
        #expect(try await flow.waiting(held, in: scope) == nil)
        #expect(try await begin(held).secret.revealed != waiting.secret.revealed)
    }
}
