package import GatepostModel
import GatepostOutbox
package import GatepostStore
package import Passwords

/// Replaces a forgotten password: whoever reads the mailbox chooses another one, by the mail's link or its code.
///
/// It signs nobody in. Everything older is dead: links, codes and, unless the app wants otherwise, sessions; a notice
/// tells the mailbox. An address that waits to be verified is verified by it, since its mailbox was read.
package struct PasswordResetFlow: Sendable {
    /// What it shares with the other flows of mails.
    package let parts: MailFlowParts
    let hasher: PasswordHasher
    let rules: PasswordRules

    /// Wires the flow.
    package init(parts: MailFlowParts, hasher: PasswordHasher, rules: PasswordRules) {
        (self.parts, self.hasher, self.rules) = (parts, hasher, rules)
    }

    /// What a link shows before anyone types.
    package enum LinkState: Sendable {
        case standing(email: String)
        case gone
    }

    /// What a try to finish came to.
    package enum Outcome: Sendable {
        case changed(UserID)
        case refused(Refusal)

        /// Why not; nil if it was done.
        package var refusal: Refusal? {
            if case .refused(let refusal) = self { refusal } else { nil }
        }
    }

    /// Begins a reset and owes the mail; the same statements run for every address.
    ///
    /// - Parameters:
    ///   - email: The address, known or not.
    ///   - tokens: What the cookies of the browser hold that asks on a hosted page; nil for the JSON API.
    ///   - locale: The person's language, as far as the request told.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What the caller holds from here on; the same for every address.
    /// - Throws: `PostgresError`.
    package func start(
        _ email: EmailAddress, by tokens: BrowserTokens? = nil, locale: String?, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> FlowStart {
        let occasion = parts.occasion(from: origin)
        if let refusal = try await parts.spendMail(to: email, in: scope, occasion) {
            try await parts.record(refusal, as: .passwordResetRefused, in: scope, occasion)
            return .refused(refusal)
        }
        let holder = tokens?.browser ?? .make(tokens == nil ? .flow : .browser, random: parts.random)
        let flow = parts.newFlow(
            .passwordReset, email, heldBy: holder, locale: locale, life: Lifetimes.passwordReset, in: scope, occasion)
        try await parts.database.batch(in: scope) { batch in
            batch.supersedeFlows(.passwordReset, of: email, at: occasion.now)
            batch.insertFlow(flow)
            batch.enqueue(
                .passwordReset, occasion.id(), of: flow,
                recipientHash: parts.keys.recipientHash(email, in: scope.appID), at: occasion.now)
            batch.record(occasion.event(.passwordResetStarted, by: .anyone, flowID: flow.id))
        }
        parts.signal.raise()
        return .started(StartedFlow(flow))
    }

    /// Looks at a link; uses nothing up.
    package func look(at link: OneTimeToken, in scope: AppScope) async throws -> LinkState {
        let now = parts.clock.now
        let standing = try await parts.database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: parts.keys.epochs, at: now)
        }
        guard let flow = standing, flow.kind == .passwordReset else { return .gone }
        return .standing(email: flow.email)
    }

    /// Finishes by the link, wherever its mail is read; a new password is no click, so no scanner gets here.
    package func confirm(
        _ link: OneTimeToken, choosing password: Secret, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        guard case .standing(let email) = try await look(at: link, in: scope) else {
            return try await refuse(Refusal(.invalidLink), in: scope, occasion)
        }
        if let refusal = try await rules.refusal(of: password, for: EmailAddress(email), in: scope) {
            return try await refuse(refusal, in: scope, occasion)
        }
        guard let hash = try await hasher.hashUnlessBusy(password) else {
            return try await refuse(.busy, in: scope, occasion)
        }
        return try await pass(.linkAlone(link), hash, orElse: Refusal(.invalidLink), in: scope, occasion)
    }

    /// Finishes by the typed code, which only whoever began can try, five times.
    package func confirm(
        _ flow: FlowID, heldBy token: OneTimeToken, code: String, choosing password: Secret, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        // Before the code is tried: a weak password must not cost one of the five.
        let record = try await parts.database.batch(in: scope) { $0.flow(flow, heldBy: token) }
        let email = record.flatMap { EmailAddress($0.email) }
        // Nobody outside is asked for somebody who holds no flow.
        let weakness =
            if record == nil {
                try await rules.weakness(of: password, for: email, in: scope)
            } else {
                try await rules.refusal(of: password, for: email, in: scope)
            }
        if let refusal = weakness {
            return try await refuse(refusal, in: scope, occasion, flow: flow)
        }
        let outcome = try await parts.codes.attempt(
            .init(code: code, flow: flow, holder: token, kind: .passwordReset, refused: .passwordResetRefused),
            in: scope, occasion)
        switch outcome {
        case .refused(let refusal, let isRecorded):
            return isRecorded ? .refused(refusal) : try await refuse(refusal, in: scope, occasion, flow: flow)
        case .right(let proof):
            guard let hash = try await hasher.hashUnlessBusy(password) else {
                return try await refuse(.busy, in: scope, occasion, flow: flow)
            }
            return try await pass(proof, hash, orElse: Refusal(.invalidFlow), in: scope, occasion, flow: flow)
        }
    }

    /// Uses the flow up and sets the password, in one transaction: of any number of racing callers one does it.
    private func pass(
        _ proof: FlowProof, _ passwordHash: String, orElse refusal: Refusal, in scope: AppScope,
        _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        let reason = SessionEndReason.passwordReset
        let user: UserID? = try await parts.database.transaction(in: scope) { transaction in
            let consumed = try await transaction.consumeFlow(
                .passwordReset, proof, epochs: parts.keys.epochs, at: occasion.now)
            guard let consumed, let user = consumed.userID, let email = EmailAddress(consumed.email) else {
                return nil
            }
            let before = try await transaction.batch { batch in
                let before = batch.user(user)
                batch.setPassword(passwordHash, of: user, at: occasion.now)
                batch.raiseEpoch(ofVerified: user, at: occasion.now)
                if scope.settings.resetEndsSessions ?? true {
                    batch.endSessions(of: user, except: nil, reason: reason, at: occasion.now)
                } else {
                    batch.stampSessions(of: user)
                    batch.stampRefreshTokens(of: user)
                }
                batch.refuseFlows(ofUser: user, butUndoing: reason.rawValue, at: occasion.now)
                batch.enqueue(
                    .passwordChanged, occasion.id(), to: user,
                    recipientHash: parts.keys.recipientHash(email, in: scope.appID), at: occasion.now)
                batch.record(
                    occasion.event(
                        .passwordChanged, by: .user, userID: user, flowID: consumed.id, reason: reason.rawValue))
                // Whoever reads the mailbox is not kept out by what strangers have guessed (decision 25).
                batch.refund(parts.limits.proved(email), at: occasion.now)
                return before
            }
            guard before?.emailVerifiedAt == nil else { return user }
            try await transaction.batch { batch in
                batch.owe(.userVerified, about: user, at: occasion.now)
                batch.record(occasion.event(.userVerified, by: .user, userID: user, flowID: consumed.id))
            }
            return user
        }
        guard let user else { return try await refuse(refusal, in: scope, occasion, flow: flow) }
        parts.signal.raise()
        return .changed(user)
    }

    private func refuse(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        try await parts.record(refusal, as: .passwordResetRefused, in: scope, occasion, flow: flow)
        return .refused(refusal)
    }
}
