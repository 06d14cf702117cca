package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Taking a change of address back, by the link in the notice to the old address.
///
/// It is for somebody whose account was taken over, so it works whatever else was changed since, and it asks for a new
/// password: the one that the account has may be the thief's. Every session ends.
extension EmailChangeFlow {
    /// Looks at an undoing's link; uses nothing up.
    package func look(atUndoing link: OneTimeToken, in scope: AppScope) async throws -> PasswordResetFlow.LinkState {
        let now = parts.clock.now
        let standing = try await parts.database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: parts.keys.epochs, at: now)
        }
        guard let flow = standing, flow.kind == .emailChangeUndo else { return .gone }
        return .standing(email: flow.emailEntered ?? flow.email)
    }

    /// Takes a change back; a new password is no click, so no scanner gets here.
    package func undo(
        _ link: OneTimeToken, choosing password: Secret, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        guard case .standing(let email) = try await look(atUndoing: link, in: scope) else {
            return try await refuse(Refusal(.invalidLink), in: scope, occasion)
        }
        if let refusal = try await rules.refusal(of: password, for: EmailAddress(email), in: scope) {
            return try await refuse(refusal, in: scope, occasion)
        }
        guard let hash = try await hasher.hashUnlessBusy(password) else {
            return try await refuse(.busy, in: scope, occasion)
        }
        let restored: EmailAddress?
        do {
            restored = try await parts.database.transaction(in: scope) { transaction in
                let consumed = try await transaction.consumeFlow(
                    .emailChangeUndo, .linkAlone(link), epochs: parts.keys.epochs, at: occasion.now)
                guard let consumed, let old = consumed.emailEntered.flatMap(EmailAddress.init) else { return nil }
                try await restore(old, consumed, hash, in: transaction, occasion)
                return old
            }
        } catch is AddressTaken {
            return try await refuse(Refusal(.addressTaken), in: scope, occasion)
        }
        guard let restored else { return try await refuse(Refusal(.invalidLink), in: scope, occasion) }
        parts.signal.raise()
        return .changed(restored)
    }

    private func restore(
        _ old: EmailAddress, _ consumed: FlowRecord, _ passwordHash: String, in transaction: AppTransaction,
        _ occasion: Occasion
    ) async throws {
        guard let user = consumed.userID else { throw AddressTaken() }
        let reason = SessionEndReason.emailChangeUndone
        try await transaction.changeAddress(of: user, to: old, at: occasion.now)
        try await transaction.batch { batch in
            batch.setPassword(passwordHash, of: user, at: occasion.now)
            batch.endSessions(of: user, except: nil, reason: reason, at: occasion.now)
            batch.refuseFlows(ofUser: user, butUndoing: reason.rawValue, at: occasion.now)
            // A change that came after this one was the thief's too, and so is the address that could undo it.
            batch.refuseUndoings(of: user, since: consumed.id, reason: reason.rawValue, at: occasion.now)
            batch.enqueue(
                .passwordChanged, occasion.id(), to: user,
                recipientHash: parts.keys.recipientHash(old, in: transaction.scope.appID), at: occasion.now)
            batch.owe(.userEmailChanged, about: user, at: occasion.now)
            batch.record(occasion.event(.emailChangeUndone, by: .user, userID: user, flowID: consumed.id))
        }
    }
}
