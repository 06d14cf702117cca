package import GatepostFlows
package import GatepostModel
package import GatepostStore

/// A user's second factor as a test holds it: the authenticator's seed, and the recovery codes on a piece of paper.
package struct TestFactor: Sendable {
    package let seed: TOTPSeed
    package let recoveryCodes: [String]
    package let user: UserID
    package let clock: TestClock

    /// What the authenticator shows now.
    package var code: String { seed.code(of: TOTPSeed.step(at: clock.now)).revealed }

    /// What it will show in the next step: one that was surely not taken yet.
    package func nextCode() -> String {
        clock.advance(by: .seconds(TOTPSeed.stepSeconds))
        return code
    }
}

extension TOTPSeed {
    /// The seed that an authenticator takes from its text in base 32.
    package init(typed text: String) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var bytes: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for digit in text.utf8 {
            guard let value = alphabet.firstIndex(of: digit) else { continue }
            (buffer, bits) = (buffer << 5 | UInt32(value), bits + 5)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
            buffer &= 1 << bits - 1
        }
        self.init(bytes)
    }
}

/// Steps of second factors, for tests that begin where a step before has succeeded.
extension TestFlows {
    /// Sets an authenticator up for somebody who is signed in.
    package func enrol(_ tokens: TokenAnswer) async throws -> TestFactor {
        let asking = try await asking(tokens)
        let proof = FactorFlow.Proof(password: Self.password, code: nil)
        let begun = try await flows.factors.begin(for: asking, proof, in: scope, from: Self.origin)
        let waiting = try value(begun)
        let seed = TOTPSeed(typed: waiting.secret.revealed)
        let confirmed = try await flows.factors.confirm(
            for: asking, code: seed.code(of: TOTPSeed.step(at: clock.now)).revealed, in: scope, from: Self.origin)
        return TestFactor(
            seed: seed, recoveryCodes: try value(confirmed).map(\.shown.revealed), user: asking.user.id, clock: clock)
    }

    /// A user with a password and an authenticator.
    package func enrolledUser(_ email: EmailAddress) async throws -> TestFactor {
        try await verifiedUser(email)
        return try await enrol(tokens(email))
    }

    /// What a change came to; throws the refusal.
    package func value<Value>(_ outcome: FactorFlow.Outcome<Value>) throws -> Value {
        switch outcome {
        case .done(let value): return value
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// Signs in by password as far as the second factor.
    package func challenge(
        _ email: EmailAddress, password: Secret = TestFlows.password, in other: AppScope? = nil
    ) async throws -> FactorChallengeFlow.Held {
        let outcome = try await flows.signIn.signIn(
            email, password: password, to: client(), in: other ?? scope, from: Self.origin)
        switch outcome {
        case .factorAsked(let challenge): return challenge.held
        case .passed: throw StepRefused(refusal: nil)
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// Answers a challenge with a code.
    package func answer(
        _ held: FactorChallengeFlow.Held, _ code: String, in other: AppScope? = nil
    ) async throws -> FactorChallengeFlow.Outcome {
        try await flows.factorChallenge.verify(held, code: code, in: other ?? scope, from: Self.origin)
    }

    /// Signs in with both factors and exchanges the code.
    package func tokens(_ email: EmailAddress, with factor: TestFactor) async throws -> TokenAnswer {
        let outcome = try await answer(challenge(email), factor.nextCode())
        guard let code = outcome.answer?.code, let answer = try await exchange(code) else {
            throw StepRefused(refusal: outcome.refusal)
        }
        return answer
    }
}

extension SignInEnding.Challenge {
    /// As whoever answers it names it.
    package var held: FactorChallengeFlow.Held { .init(id: id, token: token) }
}

extension FactorChallengeFlow.Outcome {
    /// The answer to the client; nil where there is none.
    package var answer: SignInEnding.Answer? {
        if case .ended(let ended) = self { ended.answer } else { nil }
    }

    /// Why not; nil if it was done.
    package var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}
