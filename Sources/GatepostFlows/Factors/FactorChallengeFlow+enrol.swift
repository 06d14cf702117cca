package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Setting up an authenticator before the first sign-in with it, where one is asked for and there is none.
extension FactorChallengeFlow {
    /// Makes an authenticator that waits for its first code; the same one again while one waits.
    package func beginEnrolment(
        _ held: Held, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Enrolment<WaitingFactor> {
        let occasion = mail.occasion(from: origin)
        switch try await enrolling(held, in: scope, occasion) {
        case .refused(let refusal): return .refused(refusal)
        case .done(let (person, _)):
            let beginner = held.id.uuid
            if let waiting = try await parts.waiting(person, by: beginner, in: scope, at: occasion.now) {
                return .done(waiting)
            }
            let begun = try await mail.database.transaction(in: scope) { transaction in
                try await parts.begin(person, by: beginner, in: transaction, occasion)
            }
            return .done(begun)
        }
    }

    /// Takes the authenticator's first code; the sign-in then waits until `finish`.
    ///
    /// - Returns: The recovery codes, which nobody sees again, or why not.
    package func confirmEnrolment(
        _ held: Held, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Enrolment<[RecoveryCode]> {
        let occasion = mail.occasion(from: origin)
        let (person, record): (FactorParts.Person, FactorChallengeRecord)
        switch try await enrolling(held, in: scope, occasion) {
        case .refused(let refusal): return .refused(refusal)
        case .done(let known): (person, record) = known
        }
        let first: (factor: UserFactorID, step: Int64)
        switch try await parts.tryFirst(code, of: person, by: held.id.uuid, in: scope, occasion) {
        case .failure(let refused): return .refused(try await refuse(refused.refusal, record, in: scope, occasion))
        case .success(let found): first = found
        }
        let codes = try await mail.database.transaction(in: scope) { transaction in
            let codes = try await parts.confirm(
                first, of: person, keeping: nil, epoch: record.proof.authEpoch, in: transaction, occasion)
            guard codes != nil else { return codes }
            try await transaction.batch { $0.markEnrolled(held.id, heldBy: held.token, at: occasion.now) }
            return codes
        }
        guard let codes else { return .refused(try await refuse(Refusal(.invalidFlow), record, in: scope, occasion)) }
        mail.signal.raise()
        return .done(codes)
    }

    /// Whoever may set up an authenticator here: the holder of a challenge whose user has none.
    ///
    /// Whoever has one proves that one: else the first factor alone would do for another second one. And the first one
    /// was proved a moment ago: a session that somebody left open answers a client for it, but sets up nothing (OWASP
    /// ASVS 7.5.1).
    private func enrolling(
        _ held: Held, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Enrolment<(FactorParts.Person, FactorChallengeRecord)> {
        let record = try await look(at: held, in: scope)
        guard let record, let person = Self.person(of: record) else {
            return .refused(try await refuse(Refusal(.invalidFlow), nil, in: scope, occasion))
        }
        guard !record.hasFactor else {
            return .refused(try await refuse(Refusal(.factorEnrolled), record, in: scope, occasion))
        }
        guard occasion.now - record.proof.authenticatedAt <= Lifetimes.recentSignIn else {
            return .refused(try await refuse(Refusal(.recentSignInRequired), record, in: scope, occasion))
        }
        return .done((person, record))
    }
}
