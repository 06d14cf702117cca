package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Passwords

/// Finishes a sign-up: by the mail's link, opened where it began or elsewhere, or by the typed code.
///
/// Opening the link changes nothing, because mail scanners open links; a click posts it. Where the sign-up
/// began, the click is enough. Elsewhere whoever reads the mailbox chooses the password, and the one that the
/// sign-up came with is forgotten: it may be a stranger's.
package struct VerificationFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let hasher: PasswordHasher
    let rules: PasswordRules
    let signal: OutboxSignal
    let ending: SignInEnding
    var limits: Limits { Limits(keys: keys) }

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, hasher: PasswordHasher,
        rules: PasswordRules, signal: OutboxSignal = OutboxSignal(), ending: SignInEnding
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.hasher, self.rules, self.signal) = (keys, hasher, rules, signal)
        self.ending = ending
    }

    /// What a link shows before anyone clicks.
    package enum LinkState: Sendable {
        /// It may be used; `isStarter` says whether this is the browser that began the sign-up.
        case standing(email: String, isStarter: Bool)
        /// It invites to become an admin, of an app of this name or of all.
        case invitation(AdminInvitationRecord, appName: String?)
        case gone
    }

    /// What a try to finish came to.
    package enum Outcome: Sendable {
        case verified(UserID)
        case refused(Refusal)
    }

    /// What is to happen in the transaction that verifies an address: on a page, the user is signed in.
    typealias Continuation = @Sendable (inout AppBatch, UserID) -> BatchReading<SignInEnding.Ended?>

    /// Looks at a link; uses nothing up.
    package func look(
        at link: OneTimeToken, startedBy token: OneTimeToken?, in scope: AppScope
    ) async throws -> LinkState {
        let now = clock.now
        let standing = try await database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: keys.epochs, at: now)
        }
        guard let flow = standing else { return .gone }
        switch flow.kind {
        case .signUp: break
        case .adminInvitation: return try await look(atInvitation: flow.id, in: scope)
        case .auditExportDownload, .emailSignIn, .passwordReset, .emailChange, .emailChangeUndo, nil: return .gone
        }
        return .standing(
            email: flow.email, isStarter: token.map { constantTimeEqual($0.hash, flow.tokenHash) } ?? false)
    }

    private func look(atInvitation flow: FlowID, in scope: AppScope) async throws -> LinkState {
        guard let invitation = try await database.batch(in: scope, { $0.adminInvitation(flow) }) else { return .gone }
        var name: String?
        if let app = invitation.grant.app { name = try await database.app(app)?.name ?? app.description }
        return .invitation(invitation, appName: name)
    }

    /// Finishes by the link in the browser that began the sign-up.
    package func confirm(
        _ link: OneTimeToken, startedBy token: OneTimeToken, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        return try await pass(
            .link(link, startedBy: token), passwordHash: nil, orElse: Refusal(.invalidLink), in: scope, occasion
        ).0
    }

    /// Finishes by the link anywhere else, with the password that the owner of the mailbox chooses.
    package func confirm(
        _ link: OneTimeToken, choosing password: Secret, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let standing = try await database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: keys.epochs, at: occasion.now)
        }
        guard let standing, standing.kind == .signUp else {
            return try await refuse(Refusal(.invalidLink), in: scope, occasion)
        }
        if let refusal = try await rules.refusal(of: password, for: EmailAddress(standing.email), in: scope) {
            return try await refuse(refusal, in: scope, occasion, flow: standing.id)
        }
        guard let passwordHash = try await hasher.hashUnlessBusy(password) else {
            return try await refuse(.busy, in: scope, occasion, flow: standing.id)
        }
        return try await pass(
            .linkAlone(link), passwordHash: passwordHash, orElse: Refusal(.invalidLink), in: scope, occasion
        ).0
    }

    /// Finishes by the typed code, which only whoever began the sign-up can try, five times.
    package func verify(
        _ flow: FlowID, startedBy token: OneTimeToken, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        return try await verify(flow, startedBy: token, code: code, in: scope, occasion).0
    }

    /// The same, and what happens in the transaction that verifies.
    func verify(
        _ flow: FlowID, startedBy token: OneTimeToken, code: String, in scope: AppScope, _ occasion: Occasion,
        then next: Continuation? = nil
    ) async throws -> (Outcome, SignInEnding.Ended?) {
        let codes = TypedCodes(database: database, keys: keys)
        let outcome = try await codes.attempt(
            .init(code: code, flow: flow, holder: token, kind: .signUp, refused: .verificationRefused), in: scope,
            occasion)
        switch outcome {
        case .refused(let refusal, isRecorded: true): return (.refused(refusal), nil)
        case .refused(let refusal, isRecorded: false):
            return (try await refuse(refusal, in: scope, occasion, flow: flow), nil)
        case .right(let proof):
            // The code was right: if it passes nothing, another caller was first.
            return try await pass(
                proof, passwordHash: nil, orElse: Refusal(.invalidFlow), in: scope, occasion, then: next)
        }
    }

    /// Owes the mail again, with the same link and code.
    package func resend(
        _ flow: FlowID, startedBy token: OneTimeToken, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Refusal? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let record = try await database.batch(in: scope) { $0.flow(flow, heldBy: token) }
        guard let record, record.isPending, record.expiresAt > occasion.now, let email = EmailAddress(record.email)
        else { return try await recordRefusal(Refusal(.invalidFlow), in: scope, occasion) }
        let budgets = limits.mail(to: email, from: origin, in: scope, at: occasion.now)
        let verdict = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(budgets, at: occasion.now)
        }
        if let refusal = Refusal(verdict) { return try await recordRefusal(refusal, in: scope, occasion, flow: flow) }
        try await database.batch(in: scope) { batch in
            batch.enqueueSignUpMail(
                flow: flow, id: occasion.id(), address: email,
                recipientHash: keys.recipientHash(email, in: scope.appID), at: occasion.now,
                expiresAt: record.expiresAt - Lifetimes.mailMargin)
            batch.record(occasion.event(.verificationResent, by: .anyone, flowID: flow))
        }
        signal.raise()
        return nil
    }

    /// Consumes the flow and gives the account its password, in one transaction.
    func pass(
        _ proof: FlowProof, passwordHash: String?, orElse refusal: Refusal, in scope: AppScope, _ occasion: Occasion,
        then next: Continuation? = nil
    ) async throws -> (Outcome, SignInEnding.Ended?) {
        let passed: (user: UserID, ended: SignInEnding.Ended?)? = try await database.transaction(in: scope) {
            transaction in
            guard
                let flow = try await transaction.consumeFlow(
                    .signUp, proof, epochs: keys.epochs, at: occasion.now),
                let userID = flow.userID, let hash = passwordHash ?? flow.passwordHash
            else { return nil }
            let ended = try await transaction.batch { batch in
                batch.markVerified(userID, at: occasion.now)
                batch.setPassword(hash, of: userID, at: occasion.now)
                batch.owe(.userVerified, about: userID, at: occasion.now)
                batch.record(occasion.event(.userVerified, by: .user, userID: userID, flowID: flow.id))
                if let email = EmailAddress(flow.email) { batch.refund(limits.proved(email), at: occasion.now) }
                return next.map { $0(&batch, userID) } ?? batch.nothing()
            }
            return (userID, ended)
        }
        guard let passed else { return (try await refuse(refusal, in: scope, occasion), nil) }
        signal.raise()
        return (.verified(passed.user), passed.ended)
    }

    private func refuse(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        _ = try await recordRefusal(refusal, in: scope, occasion, flow: flow)
        return .refused(refusal)
    }

    private func recordRefusal(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Refusal {
        try await database.batch(in: scope) { batch in
            batch.record(
                occasion.event(.verificationRefused, by: .anyone, flowID: flow, reason: refusal.code.rawValue))
        }
        return refusal
    }
}
