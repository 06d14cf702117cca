import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// Twenty callers with one code of a second factor, round after round: one gets in.
@Suite("Second factor: races", .showsSeed)
struct FactorRaceTests {
    static let callers = 20

    let test: TestFlows
    let ada: EmailAddress
    let factor: TestFactor

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        factor = try await test.enrolledUser(ada)
    }

    /// Each caller with a sign-in of their own, and half of them at another node: only the database is shared.
    private func tryEach(_ code: String) async throws -> [FactorChallengeFlow.Outcome] {
        var challenges: [FactorChallengeFlow.Held] = []
        for _ in 0..<Self.callers { challenges.append(try await test.challenge(ada)) }
        let nodes = [test, test.restarted()]
        return try await withThrowingTaskGroup(of: FactorChallengeFlow.Outcome.self) { group in
            for (index, held) in challenges.enumerated() {
                group.addTask { try await nodes[index % 2].answer(held, code) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func check(_ outcomes: [FactorChallengeFlow.Outcome]) {
        #expect(outcomes.count { $0.answer != nil } == 1)
        #expect(outcomes.compactMap(\.refusal?.code) == Array(repeating: .invalidCode, count: Self.callers - 1))
    }

    @Test func `of twenty sign-ins with one step of an authenticator, one passes, thirty times`() async throws {
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            check(try await tryEach(factor.nextCode()))
        }
        #expect(try await test.events().count { $0.kind == "sign_in.passed" } == Race.rounds + 1)
    }

    @Test func `of twenty sign-ins with one recovery code, one passes, thirty times`() async throws {
        var codes = factor.recoveryCodes
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            if codes.isEmpty { codes = try await others() }
            check(try await tryEach(codes.removeLast()))
        }
        #expect(try await test.events().count { $0.kind == "recovery_code.used" } == Race.rounds)
    }

    /// Found in thinking of it: each of the twenty counts as a try at the challenge, of which there are five.
    @Test func `of twenty callers with one challenge and its right code, one passes, thirty times`() async throws {
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let (held, code) = (try await test.challenge(ada), factor.nextCode())
            let outcomes = try await race(Self.callers) { try await test.answer(held, code) }
            #expect(outcomes.count { $0.answer != nil } == 1)
        }
    }

    @Test func `of twenty wrong codes for one challenge at once, five are compared, and then it is over`() async throws
    {
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(2))
            // Whoever proves the factor ends the streak; without it these rounds alone would close it.
            _ = try await test.tokens(ada, with: factor)
            let held = try await test.challenge(ada)
            let codes = try await race(Self.callers) { try await test.answer(held, "x").refusal?.code }
            #expect(codes.count { $0 == .invalidCode } == 5 && codes.count { $0 == .codeAttemptsExhausted } == 15)
            #expect(try await test.answer(held, factor.nextCode()).refusal?.code == .codeAttemptsExhausted)
        }
    }

    @Test func `of twenty who confirm one authenticator at once, one gets recovery codes, thirty times`() async throws {
        for round in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let person = try EmailAddress.of("person\(round)@example.com")
            try await test.verifiedUser(person)
            let asking = try await test.asking(test.tokens(person))
            let begun = try await test.flows.factors.begin(
                for: asking, .init(password: TestFlows.password, code: nil), in: test.scope, from: TestFlows.origin)
            let seed = TOTPSeed(typed: try test.value(begun).secret.revealed)
            let code = seed.code(of: TOTPSeed.step(at: test.clock.now)).revealed
            let outcomes = try await race(Self.callers) {
                try await test.flows.factors.confirm(for: asking, code: code, in: test.scope, from: TestFlows.origin)
            }
            #expect(outcomes.count { if case .done = $0 { true } else { false } } == 1)
        }
    }

    /// Ten recovery codes more, for which the authenticator is asked.
    private func others() async throws -> [String] {
        let asking = try await test.asking(test.tokens(ada, with: factor))
        let proof = FactorFlow.Proof(password: TestFlows.password, code: factor.nextCode())
        return try test.value(
            try await test.flows.factors.replaceRecoveryCodes(
                for: asking, proof, in: test.scope, from: TestFlows.origin)
        ).map(\.shown.revealed)
    }
}
