package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// The second step of a sign-in: whoever holds the challenge proves a second factor, or sets one up, and what the
/// sign-in was for is answered.
///
/// The challenge's row says who proved what, and nothing of that is taken from the caller. So no way in goes round it:
/// a password, a mail's link or code and an identity provider each leave a challenge here, or end without one.
package struct FactorChallengeFlow: Sendable {
    let mail: MailFlowParts
    let ending: SignInEnding
    var parts: FactorParts { FactorParts(mail: mail) }

    /// Wires the flow.
    package init(mail: MailFlowParts, ending: SignInEnding) {
        (self.mail, self.ending) = (mail, ending)
    }

    /// A challenge as whoever answers it names it.
    package struct Held: Sendable {
        package let id: FactorChallengeID
        package let token: OneTimeToken

        /// Names a challenge.
        package init(id: FactorChallengeID, token: OneTimeToken) {
            (self.id, self.token) = (id, token)
        }
    }

    /// What a try came to.
    package enum Outcome: Sendable {
        case ended(SignInEnding.Ended)
        case refused(Refusal)
    }

    /// What setting up an authenticator came to.
    package enum Enrolment<Value: Sendable>: Sendable {
        case done(Value)
        case refused(Refusal)
    }

    /// A challenge that still waits; nil for whoever does not hold it, and once it is over.
    package func look(at held: Held, in scope: AppScope) async throws -> FactorChallengeRecord? {
        let now = mail.clock.now
        return try await mail.database.batch(in: scope) { $0.factorChallenge(held.id, heldBy: held.token, at: now) }
    }

    /// Proves the second factor by a code of the authenticator or by a recovery code, and ends the sign-in; five tries.
    package func verify(
        _ held: Held, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = mail.occasion(from: origin)
        let record = try await look(at: held, in: scope)
        guard let record, let person = Self.person(of: record) else {
            return .refused(try await refuse(Refusal(.invalidFlow), nil, in: scope, occasion))
        }
        guard record.hasFactor else {
            return .refused(try await refuse(Refusal(.factorMissing), record, in: scope, occasion))
        }
        let isCounted = try await mail.database.batch(in: scope) {
            $0.countFactorAttempt(held.id, heldBy: held.token, at: occasion.now)
        }
        guard isCounted else {
            return .refused(try await refuse(Refusal(.beginAgain), record, in: scope, occasion))
        }
        switch try await parts.tryCode(code, of: person, in: scope, occasion) {
        case .refused(let refusal): return .refused(try await refuse(refusal, record, in: scope, occasion))
        case .right(let proof, let budgets):
            return try await outcome(
                of: try await pass(held, record, proof, budgets, in: scope, occasion), record, person, in: scope,
                occasion)
        }
    }

    /// The device has signed in with the address from here on.
    private func known(
        _ ended: SignInEnding.Ended, _ person: FactorParts.Person, in scope: AppScope, _ occasion: Occasion
    ) -> SignInEnding.Ended {
        var ended = ended
        ended.device =
            DeviceToken.make(
                for: person.email, in: scope.appID, at: occasion.now, keys: mail.keys, random: mail.random
            ).secret
        return ended
    }

    /// The authenticator that waits for its first code; nil if none does, or one needs not be set up.
    package func waiting(_ held: Held, in scope: AppScope) async throws -> WaitingFactor? {
        let record = try await look(at: held, in: scope)
        guard let record, !record.hasFactor, let person = Self.person(of: record) else { return nil }
        return try await parts.waiting(person, by: held.id.uuid, in: scope, at: mail.clock.now)
    }

    /// Ends a sign-in in which an authenticator was set up, once its recovery codes were shown.
    package func finish(_ held: Held, in scope: AppScope, from origin: RequestOrigin) async throws -> Outcome {
        let occasion = mail.occasion(from: origin)
        let record = try await look(at: held, in: scope)
        guard let record, record.enrolledAt != nil, let person = Self.person(of: record) else {
            return .refused(try await refuse(Refusal(.invalidFlow), record, in: scope, occasion))
        }
        return try await outcome(
            of: try await pass(held, record, nil, nil, in: scope, occasion), record, person, in: scope, occasion)
    }

    /// What using up a code and a challenge came to.
    private enum Passing: Sendable {
        case ended(SignInEnding.Ended)
        /// Another caller has used up the code.
        case codeTaken
        /// Another caller has used up the challenge, or what the sign-in was for is over.
        case over
    }

    private func outcome(
        of passing: Passing, _ record: FactorChallengeRecord, _ person: FactorParts.Person, in scope: AppScope,
        _ occasion: Occasion
    ) async throws -> Outcome {
        switch passing {
        case .ended(let ended):
            mail.signal.raise()
            return .ended(known(ended, person, in: scope, occasion))
        case .codeTaken: return .refused(try await refuse(Refusal(.invalidCode), record, in: scope, occasion))
        case .over: return .refused(try await refuse(Refusal(.invalidFlow), record, in: scope, occasion))
        }
    }

    /// Uses up the code and the challenge, and ends the sign-in, in one transaction.
    ///
    /// Of any number of racing callers with one code one is let in, whichever challenges they come with. A code that
    /// led nowhere is not used up: what the sign-in was for was answered elsewhere meanwhile, or is over.
    private func pass(
        _ held: Held, _ record: FactorChallengeRecord, _ proof: FactorParts.Proof?, _ budgets: RateBudgets?,
        in scope: AppScope, _ occasion: Occasion
    ) async throws -> Passing {
        guard let person = Self.person(of: record) else { return .over }
        do {
            return try await mail.database.transaction(in: scope) { transaction in
                if let proof {
                    guard try await parts.use(proof, of: person, in: transaction, occasion) else { return .codeTaken }
                }
                let isPassed = try await transaction.batch {
                    $0.passFactorChallenge(held.id, heldBy: held.token, at: occasion.now)
                }
                guard isPassed else { throw LedNowhere() }
                let ended = try await transaction.batch { batch in
                    let ended = ending.add(
                        record.goal, for: Self.whole(record.proof),
                        record.isHosted ? .new(replacing: record.replaces) : .none, to: &batch, occasion)
                    if let budgets { batch.refund(budgets, at: occasion.now) }
                    return ended
                }
                guard let ended else { throw LedNowhere() }
                return .ended(ended)
            }
        } catch is LedNowhere {
            return .over
        }
    }

    /// Undoes the transaction.
    private struct LedNowhere: Error {}

    /// What was proved, with the second factor.
    private static func whole(_ proof: SignInProof) -> SignInProof {
        SignInProof(
            userID: proof.userID, authEpoch: proof.authEpoch,
            amr: proof.amr + AuthenticationClass.secondMethods.filter { !proof.amr.contains($0) },
            authenticatedAt: proof.authenticatedAt, condition: proof.condition)
    }

    static func person(of record: FactorChallengeRecord) -> FactorParts.Person? {
        EmailAddress(record.email).map { FactorParts.Person(id: record.userID, email: $0) }
    }

    func refuse(
        _ refusal: Refusal, _ record: FactorChallengeRecord?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Refusal {
        try await mail.record(refusal, as: .factorRefused, in: scope, occasion, user: record?.userID)
        return refusal
    }
}
