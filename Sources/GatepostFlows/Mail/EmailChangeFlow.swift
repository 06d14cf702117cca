package import GatepostModel
import GatepostOutbox
package import GatepostStore
package import Passwords
import Postgres

/// Gives a user another address: asked for with the password, proved at the new address, told to the old one.
///
/// Until the new address is proved nothing changes, so a typing error costs nothing (better-auth #7196). The proof is
/// the code, typed by whoever asked, or the link in the browser that asked: a stranger's mailbox confirms nothing, and
/// neither does its scanner. The old address gets a link that takes the change back.
package struct EmailChangeFlow: Sendable {
    let parts: MailFlowParts
    let hasher: PasswordHasher
    let rules: PasswordRules

    /// Wires the flow.
    package init(parts: MailFlowParts, hasher: PasswordHasher, rules: PasswordRules) {
        (self.parts, self.hasher, self.rules) = (parts, hasher, rules)
    }

    /// What a link shows before anyone clicks.
    package enum LinkState: Sendable {
        case standing(email: String, LinkPlace)
        case gone
    }

    /// What a try to finish came to; the address is the user's from here on.
    package enum Outcome: Sendable {
        case changed(EmailAddress)
        case refused(Refusal)

        /// Why not; nil if it was done.
        package var refusal: Refusal? {
            if case .refused(let refusal) = self { refusal } else { nil }
        }
    }

    /// Begins a change and owes the mail to the new address.
    ///
    /// An address that another user of the app has gets no mail, and whoever asks is told nothing of that.
    ///
    /// - Parameters:
    ///   - asking: Who, and from which session.
    ///   - email: The new address.
    ///   - password: The password; nil for somebody who has none and has signed in a moment ago.
    ///   - browser: The token of the browser that asks on a hosted page; nil for the JSON API, which gets a new one.
    ///   - locale: The person's language, as far as the request told.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What the caller holds from here on.
    /// - Throws: `PostgresError`.
    package func start(
        for asking: Asking, to email: EmailAddress, password: Secret?, by browser: OneTimeToken? = nil,
        locale: String?, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> FlowStart {
        let occasion = parts.occasion(from: origin)
        let user = asking.user.id
        guard email.canonical != asking.user.email.lowercased() else {
            let refusal = Refusal(.conflict, detail: "That is the address already.")
            return try await refuse(refusal, asking, in: scope, occasion)
        }
        if let refusal = try await parts.spendMail(to: email, in: scope, occasion) {
            return try await refuse(refusal, asking, in: scope, occasion)
        }
        let proof = try await parts.prove(password, asking, hasher: hasher, in: scope, occasion)
        guard case .proved(_, let budgets) = proof else {
            return try await refuse(proof.refusal, asking, in: scope, occasion)
        }
        let flow = parts.newFlow(
            .emailChange, email, heldBy: browser ?? .make(.flow, random: parts.random), locale: locale,
            life: Lifetimes.emailChange, in: scope, occasion)
        try await parts.database.batch(in: scope) { batch in
            batch.supersedeFlows(.emailChange, of: user, at: occasion.now)
            batch.insertFlow(flow, of: user, askedBy: asking.session)
            batch.enqueueIfFree(
                .emailChange, occasion.id(), of: flow,
                recipientHash: parts.keys.recipientHash(email, in: scope.appID), at: occasion.now)
            batch.refund(budgets, at: occasion.now)
            batch.record(
                occasion.event(
                    .emailChangeStarted, by: .user, userID: user, sessionID: asking.session, flowID: flow.id))
        }
        parts.signal.raise()
        return .started(StartedFlow(flow))
    }

    /// Looks at a link; uses nothing up.
    package func look(at link: OneTimeToken, by holders: LinkHolders, in scope: AppScope) async throws -> LinkState {
        let now = parts.clock.now
        let standing = try await parts.database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: parts.keys.epochs, at: now)
        }
        guard let flow = standing, flow.kind == .emailChange else { return .gone }
        return .standing(email: flow.emailEntered ?? flow.email, LinkPlace(of: flow, holders))
    }

    /// Finishes by the link in the browser that asked; another one's click uses nothing up.
    package func confirm(
        _ link: OneTimeToken, heldBy token: OneTimeToken, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        return try await pass(.link(link, startedBy: token), orElse: Refusal(.invalidLink), in: scope, occasion)
    }

    /// Finishes by the typed code, which only whoever asked can try, five times.
    package func verify(
        _ flow: FlowID, heldBy token: OneTimeToken, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        let outcome = try await parts.codes.attempt(
            .init(code: code, flow: flow, holder: token, kind: .emailChange, refused: .emailChangeRefused), in: scope,
            occasion)
        switch outcome {
        case .refused(let refusal, let isRecorded):
            return isRecorded ? .refused(refusal) : try await refuse(refusal, in: scope, occasion, flow: flow)
        case .right(let proof):
            return try await pass(proof, orElse: Refusal(.invalidFlow), in: scope, occasion, flow: flow)
        }
    }

    /// Uses the flow up and switches the address, in one transaction: of any number of racing callers one does it.
    private func pass(
        _ proof: FlowProof, orElse refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        let changed: EmailAddress?
        do {
            changed = try await parts.database.transaction(in: scope) { transaction in
                let consumed = try await transaction.consumeFlow(
                    .emailChange, proof, epochs: parts.keys.epochs, at: occasion.now)
                guard let consumed, let email = consumed.emailEntered.flatMap(EmailAddress.init) else { return nil }
                try await switchAddress(consumed, to: email, in: transaction, occasion)
                return email
            }
        } catch is AddressTaken {
            return try await refuse(Refusal(.conflict), in: scope, occasion, flow: flow)
        }
        guard let changed else { return try await refuse(refusal, in: scope, occasion, flow: flow) }
        parts.signal.raise()
        return .changed(changed)
    }

    private func switchAddress(
        _ consumed: FlowRecord, to email: EmailAddress, in transaction: AppTransaction, _ occasion: Occasion
    ) async throws {
        let reason = SessionEndReason.emailChanged
        let scope = transaction.scope
        guard let user = consumed.userID, let before = try await transaction.batch({ $0.user(user) }),
            let old = EmailAddress(before.email)
        else { throw AddressTaken() }
        let undo = parts.newFlow(
            .emailChangeUndo, old, heldBy: .make(.flow, random: parts.random), locale: nil,
            life: Lifetimes.emailChangeUndo, in: scope, occasion)
        try await transaction.changeAddress(of: user, to: email, at: occasion.now)
        try await transaction.batch { batch in
            // Old ones first: the undoing that begins here must not be among them.
            batch.refuseFlows(ofUser: user, butUndoing: reason.rawValue, at: occasion.now)
            batch.endSessions(of: user, except: consumed.sessionID, reason: reason, at: occasion.now)
            batch.stampSessions(of: user)
            batch.stampRefreshTokens(of: user)
            batch.insertFlow(undo, of: user, askedBy: nil)
            batch.enqueue(
                .emailChanged, occasion.id(), of: undo,
                recipientHash: parts.keys.recipientHash(old, in: scope.appID), at: occasion.now)
            batch.owe(.userEmailChanged, about: user, at: occasion.now)
            batch.record(occasion.event(.emailChanged, by: .user, userID: user, flowID: consumed.id))
        }
    }

    private func refuse(
        _ refusal: Refusal, _ asking: Asking, in scope: AppScope, _ occasion: Occasion
    ) async throws -> FlowStart {
        try await parts.record(refusal, as: .emailChangeRefused, in: scope, occasion, user: asking.user.id)
        return .refused(refusal)
    }

    func refuse(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        try await parts.record(refusal, as: .emailChangeRefused, in: scope, occasion, flow: flow)
        return .refused(refusal)
    }
}

/// The app has another user of that address: the transaction is rolled back, and so is the flow that it had used up.
struct AddressTaken: Error {}

extension AppTransaction {
    /// Switches a user's address; throws `AddressTaken` if another user has it, also one who got it this very moment.
    func changeAddress(of user: UserID, to email: EmailAddress, at now: Instant) async throws {
        do {
            guard try await batch({ $0.changeAddress(of: user, to: email, at: now) }) else { throw AddressTaken() }
        } catch let error as PostgresError where error.constraint == "users_email_key" {
            throw AddressTaken()
        }
    }
}
