package import GatepostModel
import GatepostOutbox
package import GatepostStore
package import Passwords

/// Who asks for a change of what protects an account: a signed-in user, and the session that they ask from.
package struct Asking: Sendable {
    package let user: UserRecord
    package let session: SessionID
    package let authenticatedAt: Instant

    /// Whoever asks by an access token.
    package init(_ session: LiveSession) {
        (user, self.session, authenticatedAt) = (session.user, session.id, session.authenticatedAt)
    }

    /// Whoever asks on the hosted pages.
    package init(_ session: HostedSession) {
        (user, self.session, authenticatedAt) = (session.user, session.id, session.authenticatedAt)
    }

    /// The same as a way to a provider keeps it.
    var link: IdentityLink { IdentityLink(user: user.id, session: session, authEpoch: user.authEpoch) }
}

/// Changes a user's password, by the one that they have.
///
/// Two steps around the hashes, like a sign-in. The session that asks goes on; the others end, if the user wants it. A
/// notice tells the mailbox.
package struct PasswordChangeFlow: Sendable {
    let parts: MailFlowParts
    let hasher: PasswordHasher
    let rules: PasswordRules

    /// Wires the flow.
    package init(parts: MailFlowParts, hasher: PasswordHasher, rules: PasswordRules) {
        (self.parts, self.hasher, self.rules) = (parts, hasher, rules)
    }

    /// Changes the password.
    ///
    /// - Parameters:
    ///   - asking: Who, and from which session.
    ///   - current: The password that they have.
    ///   - new: The one that they choose.
    ///   - endsOthers: Whether their other sessions end.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Why not; nil if it was done.
    /// - Throws: `PostgresError`.
    package func change(
        for asking: Asking, current: Secret, to new: Secret, endsOthers: Bool, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Refusal? {
        let occasion = parts.occasion(from: origin)
        if let refusal = try await rules.refusal(of: new, for: EmailAddress(asking.user.email), in: scope) {
            return try await refuse(refusal, asking, in: scope, occasion)
        }
        let proof = try await parts.prove(current, asking, hasher: hasher, in: scope, occasion)
        guard case .proved(let credential, let budgets) = proof else {
            return try await refuse(proof.refusal, asking, in: scope, occasion)
        }
        guard let hash = try await hasher.hashUnlessBusy(new) else {
            try await parts.giveBack(budgets, in: scope, occasion)
            return try await refuse(.busy, asking, in: scope, occasion)
        }
        let isChanged = try await parts.database.transaction(in: scope) { transaction in
            guard
                try await transaction.batch({ batch in
                    batch.changePassword(hash, provedBy: credential, at: occasion.now)
                })
            else { return false }
            try await transaction.batch { batch in
                settle(asking, endsOthers: endsOthers, refunding: budgets, in: &batch, occasion)
            }
            return true
        }
        guard isChanged else {
            // Changed by somebody else while the hashes were computed: what was proved is no longer so.
            return try await refuse(Refusal(.invalidCredentials), asking, in: scope, occasion)
        }
        parts.signal.raise()
        return nil
    }

    /// What follows from the change: whatever is older is dead, but the session that asks and, if wanted, the others.
    private func settle(
        _ asking: Asking, endsOthers: Bool, refunding budgets: RateBudgets, in batch: inout AppBatch,
        _ occasion: Occasion
    ) {
        let (user, reason) = (asking.user.id, SessionEndReason.passwordChanged)
        batch.raiseEpoch(of: user)
        if endsOthers { batch.endSessions(of: user, except: asking.session, reason: reason, at: occasion.now) }
        batch.stampSessions(of: user)
        batch.stampRefreshTokens(of: user)
        batch.refuseFlows(ofUser: user, butUndoing: reason.rawValue, at: occasion.now)
        if let email = EmailAddress(asking.user.email) {
            batch.refund(budgets, at: occasion.now)
            batch.enqueue(
                .passwordChanged, occasion.id(), to: user,
                recipientHash: parts.keys.recipientHash(email, in: batch.scope.appID), at: occasion.now)
        }
        batch.record(
            occasion.event(
                .passwordChanged, by: .user, userID: user, sessionID: asking.session, reason: reason.rawValue))
    }

    private func refuse(
        _ refusal: Refusal, _ asking: Asking, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Refusal {
        try await parts.record(refusal, as: .passwordChangeRefused, in: scope, occasion, user: asking.user.id)
        return refusal
    }
}

/// What asking a signed-in user for the password came to.
enum PasswordProof {
    /// Also what is given back once all is done.
    case proved(PasswordCredential, RateBudgets)
    case refused(Refusal)

    var refusal: Refusal {
        if case .refused(let refusal) = self { refusal } else { Refusal(.invalidCredentials) }
    }
}

extension MailFlowParts {
    /// Asks a signed-in user for the password again, under the limit of every other try at it.
    ///
    /// Somebody who has no password has nothing to type: a recent sign-in stands in for it where none is given.
    ///
    /// - Parameters:
    ///   - password: What was typed; nil for nothing.
    ///   - asking: Who.
    ///   - hasher: Whose threads compare.
    ///   - scope: The app.
    ///   - occasion: The moment.
    /// - Returns: The credential that was proved, or why not.
    /// - Throws: `PostgresError`.
    func prove(
        _ password: Secret?, _ asking: Asking, hasher: PasswordHasher, in scope: AppScope, _ occasion: Occasion
    ) async throws -> PasswordProof {
        guard let email = EmailAddress(asking.user.email) else { return .refused(Refusal(.invalidCredentials)) }
        let budgets = limits.proof(of: email, from: occasion.origin, in: scope, at: occasion.now)
        let (credential, verdict) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.passwordCredential(ofUser: asking.user.id).and(batch.spend(budgets, at: occasion.now))
        }
        if let refusal = Refusal(verdict) { return .refused(refusal) }
        guard let credential, credential.authEpoch == asking.user.authEpoch else {
            return .refused(Refusal(.sessionEnded))
        }
        if credential.passwordHash == nil, password == nil {
            guard occasion.now - asking.authenticatedAt <= Lifetimes.recentSignIn else {
                return .refused(Refusal(.recentSignInRequired))
            }
            return .proved(credential, limits.earned(budgets, by: email))
        }
        guard let password else { return .refused(Refusal(.invalidCredentials)) }
        guard let verdict = try await hasher.verifyUnlessBusy(password, against: credential.passwordHash) else {
            try await giveBack(budgets, in: scope, occasion)
            return .refused(.busy)
        }
        guard case .matches = verdict else { return .refused(Refusal(.invalidCredentials)) }
        return .proved(credential, limits.earned(budgets, by: email))
    }
}
