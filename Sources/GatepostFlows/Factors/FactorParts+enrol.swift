package import GatepostModel
import GatepostOutbox
import GatepostStore

/// An authenticator that waits for its first code, with what its owner types or scans; shown to nobody else.
package struct WaitingFactor: Sendable {
    package let id: UserFactorID
    /// The seed in base 32.
    package let secret: Secret
    /// The same as a link that an authenticator app opens.
    package let uri: Secret
    package let expiresAt: Instant
}

/// Setting up an authenticator: the same for somebody who is signed in and for a sign-in that waits.
extension FactorParts {
    /// Makes an authenticator that waits for its first code, in place of another one that waits.
    ///
    /// - Parameters:
    ///   - person: Whose.
    ///   - beginner: The session or the challenge that it belongs to until then. Nobody else is shown the seed: whoever
    ///     knew the password would else have the user confirm a seed that they know too.
    ///   - transaction: The transaction, in which what was proved for it is used up.
    ///   - occasion: The moment.
    /// - Returns: What is shown.
    /// - Throws: `PostgresError`, or what sealing throws.
    func begin(
        _ person: Person, by beginner: UUIDBits, in transaction: AppTransaction, _ occasion: Occasion
    ) async throws -> WaitingFactor {
        let scope = transaction.scope
        let (id, seed): (UserFactorID, TOTPSeed) = (occasion.id(), .make(random: mail.random))
        let sealed = try seed.sealed(for: id, in: scope.appID, keys: mail.keys)
        try await transaction.batch { batch in
            batch.insertPendingFactor(id, of: person.id, begunBy: beginner, seedSealed: sealed, at: occasion.now)
            batch.record(occasion.event(.factorEnrolmentStarted, by: .user, userID: person.id))
        }
        return try await shown(seed, id, person, at: occasion.now, in: scope)
    }

    /// The authenticator that waits, to be shown again to whoever began it; nil if none does.
    func waiting(
        _ person: Person, by beginner: UUIDBits, in scope: AppScope, at now: Instant
    ) async throws -> WaitingFactor? {
        let factor = try await mail.database.batch(in: scope) {
            $0.pendingFactor(of: person.id, begunBy: beginner, at: now)
        }
        guard let factor, let seed = try? seed(of: factor, in: scope) else { return nil }
        return try await shown(seed, factor.id, person, at: factor.createdAt, in: scope)
    }

    private func shown(
        _ seed: TOTPSeed, _ id: UserFactorID, _ person: Person, at began: Instant, in scope: AppScope
    ) async throws -> WaitingFactor {
        let name = try await mail.database.app(scope.appID)?.name ?? "\(scope.appID)"
        return WaitingFactor(
            id: id, secret: seed.text, uri: seed.uri(issuer: name, account: person.email.ascii),
            expiresAt: began + Lifetimes.factorChallenge)
    }

    /// Compares the first code of an authenticator that waits.
    ///
    /// Counted, though whoever types it was shown the seed: a wrong one tells nothing, but costs.
    ///
    /// - Returns: The authenticator and the step, or why not.
    func tryFirst(
        _ typed: String, of person: Person, by beginner: UUIDBits, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Result<(factor: UserFactorID, step: Int64), Refused> {
        let budgets = Limits.firstCode(of: person.id)
        let (verdict, factor) = try await mail.database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(budgets, at: occasion.now)
                .and(batch.pendingFactor(of: person.id, begunBy: beginner, at: occasion.now))
        }
        if let refusal = Refusal(verdict) { return .failure(Refused(refusal: refusal)) }
        guard let factor, let seed = try? seed(of: factor, in: scope) else {
            return .failure(Refused(refusal: Refusal(.invalidFlow)))
        }
        guard let step = seed.step(of: Self.digits(typed), at: occasion.now) else {
            return .failure(Refused(refusal: Refusal(.invalidCode).counted(verdict)))
        }
        return .success((factor.id, step))
    }

    /// Makes the authenticator the user's own, with other recovery codes; nil if another caller was first.
    ///
    /// The epoch is raised and every other session ends: what was begun without the second factor goes no further.
    ///
    /// - Parameters:
    ///   - first: What `tryFirst` found.
    ///   - person: Whose.
    ///   - kept: The session that asks and goes on; nil for a sign-in that waits.
    ///   - epoch: The user's when that was asked for.
    ///   - transaction: The transaction.
    ///   - occasion: The moment.
    /// - Returns: The recovery codes, which nobody sees again.
    /// - Throws: `PostgresError`.
    func confirm(
        _ first: (factor: UserFactorID, step: Int64), of person: Person, keeping kept: SessionID?, epoch: Int32?,
        in transaction: AppTransaction, _ occasion: Occasion
    ) async throws -> [RecoveryCode]? {
        guard try await transaction.batch({ $0.lockForFactors(person.id, epoch: epoch) }) else { return nil }
        let isConfirmed = try await transaction.batch { batch in
            batch.confirmFactor(
                first.factor, of: person.id, step: first.step, replaces: kept != nil, at: occasion.now)
        }
        guard isConfirmed else { return nil }
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.make(random: mail.random) }
        try await transaction.batch { batch in
            let app = batch.scope.appID
            batch.replaceRecoveryCodes(
                of: person.id, by: codes.map { $0.hash(of: person.id, in: app) }, at: occasion.now)
            endOthers(of: person, except: kept, .factorChanged, in: &batch, occasion)
            if let kept {
                batch.addMethods(AuthenticationClass.secondMethods, to: kept)
                batch.keepSession(kept, of: person.id)
            }
            batch.record(occasion.event(.factorEnrolled, by: .user, userID: person.id, sessionID: kept))
            notify(person, .enrolled, in: &batch, occasion)
            batch.refund(Limits.factor(of: person.id), at: occasion.now)
        }
        return codes
    }

    /// Ends whatever else is signed in as the user, and kills what is half done.
    func endOthers(
        of person: Person, except kept: SessionID?, _ reason: SessionEndReason, in batch: inout AppBatch,
        _ occasion: Occasion
    ) {
        batch.raiseEpoch(of: person.id)
        batch.endSessions(of: person.id, except: kept, reason: reason, at: occasion.now)
        batch.refuseFlows(ofUser: person.id, butUndoing: reason.rawValue, at: occasion.now)
    }

    /// A refusal where a value is expected.
    struct Refused: Error {
        let refusal: Refusal
    }
}
