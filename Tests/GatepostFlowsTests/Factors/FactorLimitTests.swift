import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// How often an authenticator's code may be guessed, and what ends that count.
@Suite("Second factor: limits", .showsSeed)
struct FactorLimitTests {
    let test: TestFlows
    let ada: EmailAddress
    let factor: TestFactor

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        factor = try await test.enrolledUser(ada)
    }

    /// A code that the authenticator shows neither now nor in the steps beside it.
    private var wrongCode: String {
        let step = TOTPSeed.step(at: test.clock.now)
        let right = [step - 1, step, step + 1].map { factor.seed.code(of: $0).revealed }
        return ["000000", "111111", "222222", "333333"].first { !right.contains($0) } ?? ""
    }

    /// Guesses wrongly so often, each with a challenge and at an hour of its own; the first other refusal.
    private func guess(_ count: Int) async throws -> Refusal? {
        for _ in 0..<count {
            test.clock.advance(by: .hours(1))
            let refusal = try await test.answer(test.challenge(ada), wrongCode).refusal
            if refusal?.code != .invalidCode { return refusal }
        }
        return nil
    }

    @Test func `twenty wrong codes are the tries of an hour, and a right password gives none back`() async throws {
        // Ten a quarter: the address has tries of its own, whatever is tried.
        for _ in 0..<2 {
            for number in 0..<10 {
                let refusal = try await test.answer(test.challenge(ada), wrongCode).refusal
                #expect(refusal?.code == .invalidCode, "\(number)")
            }
            test.clock.advance(by: .minutes(15))
        }
        #expect(try await test.answer(test.challenge(ada), factor.nextCode()).refusal?.code == .rateLimited)
        test.clock.advance(by: .hours(1))
        #expect(try await test.answer(test.challenge(ada), factor.nextCode()).answer != nil)
    }

    @Test func `fifty wrong codes in a row are the last ones, and a recovery code ends the count`() async throws {
        #expect(try await guess(50) == nil)
        test.clock.advance(by: .days(1))
        let refusal = try #require(try await test.answer(test.challenge(ada), factor.nextCode()).refusal)
        #expect(refusal.code == .rateLimited && refusal.detail?.contains("recovery code") == true)

        #expect(try await test.answer(test.challenge(ada), factor.recoveryCodes[0]).answer != nil)

        #expect(try await test.answer(test.challenge(ada), factor.nextCode()).answer != nil)
    }

    @Test func `a right code ends the count`() async throws {
        #expect(try await guess(49) == nil)
        #expect(try await test.answer(test.challenge(ada), factor.nextCode()).answer != nil)
        #expect(try await guess(49) == nil)
    }

    /// The count once outlived the reset that its refusal recommends: where a factor is required, nobody got in for
    /// thirty days.
    @Test func `a reset by an admin ends the count, and the next authenticator is set up`() async throws {
        #expect(try await guess(50) == nil)
        let request = AdminRequest(.operator, from: .none)
        _ = try await test.flows.admin.factors.reset(of: factor.user, note: nil, for: request, in: test.scope)

        let again = try await test.enrol(test.tokens(ada))

        #expect(try await test.answer(test.challenge(ada), again.nextCode()).answer != nil)
    }

    @Test func `a change without a code costs no try`() async throws {
        let asking = try await test.asking(test.tokens(ada, with: factor))
        let proof = FactorFlow.Proof(password: TestFlows.password, code: nil)
        for _ in 0..<25 {
            guard
                case .refused(let refusal) = try await test.flows.factors.begin(
                    for: asking, proof, in: test.scope, from: TestFlows.origin)
            else {
                Issue.record("begun by the password alone")
                return
            }
            #expect(refusal.code == .invalidCode)
        }
        #expect(try await test.answer(test.challenge(ada), factor.nextCode()).answer != nil)
    }
}

/// What becomes of a right code that leads nowhere, and of a seed whose key is retired.
@Suite("Second factor: nothing is lost", .showsSeed)
struct FactorLossTests {
    let test: TestFlows
    let ada: EmailAddress
    let factor: TestFactor

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        factor = try await test.enrolledUser(ada)
    }

    /// The recovery code was once used up, and its owner told that it was wrong.
    @Test func `a code for a request that is answered already is not used up`() async throws {
        let (request, browser) = try await test.app.waitingRequest()
        func challenge() async throws -> FactorChallengeFlow.Held {
            let outcome = try await test.flows.signIn.signIn(
                ada, password: TestFlows.password, for: request, by: BrowserTokens(browser: browser, session: nil),
                in: test.scope, from: TestFlows.origin)
            guard case .ended(let ended) = outcome, let challenge = ended.challenge else {
                throw TestFlows.StepRefused(refusal: nil)
            }
            return challenge.held
        }
        let (first, second) = (try await challenge(), try await challenge())
        #expect(try await test.answer(first, factor.nextCode()).answer != nil)
        let code = factor.recoveryCodes[0]

        #expect(try await test.answer(second, code).refusal?.code == .invalidFlow)

        #expect(try await test.answer(test.challenge(ada), code).answer != nil)
    }

    @Test func `a seed is sealed anew under the key of today, and outlives the one before`() async throws {
        let rotated = test.restarted(keys: try TestApp.testKeys(epoch: 2, others: [1]))
        #expect(try await rotated.answer(rotated.challenge(ada), factor.nextCode()).answer != nil)
        let later = test.restarted(keys: try TestApp.testKeys(epoch: 2))
        #expect(try await later.answer(later.challenge(ada), factor.nextCode()).answer != nil)
        let earlier = test.restarted(keys: try TestApp.testKeys(epoch: 1))
        let held = try await earlier.challenge(ada)
        await #expect(throws: SealBroken.self) { try await earlier.answer(held, factor.nextCode()) }
    }

    @Test func `a seed whose key was retired too early is an error of ours, and no wrong code`() async throws {
        let held = try await test.challenge(ada)
        let retired = test.restarted(keys: try TestApp.testKeys(epoch: 2))
        await #expect(throws: SealBroken.self) { try await retired.answer(held, factor.nextCode()) }
    }
}
