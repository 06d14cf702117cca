package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Passwords

/// Makes admins: by a mail with a link, which the invited person accepts.
///
/// Nobody signs up as an admin. The first owner is invited at the command line, the others by an owner. An invitation
/// is worth no more than whoever made it is worth when it is accepted.
package struct AdminInvitationFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let hasher: PasswordHasher
    let rules: PasswordRules
    let signal: OutboxSignal

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, hasher: PasswordHasher,
        rules: PasswordRules, signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.hasher, self.rules, self.signal) = (keys, hasher, rules, signal)
    }

    /// Owes a mail that invites to a role; an invitation of the same address that waits is superseded.
    ///
    /// - Parameters:
    ///   - email: Whom.
    ///   - grant: To what.
    ///   - request: Who asks; they give away no more than they have.
    /// - Returns: The invitation's flow, or why not.
    /// - Throws: `PostgresError`.
    package func invite(
        _ email: EmailAddress, as grant: AdminGrant, for request: AdminRequest
    ) async throws -> AdminOutcome<FlowID> {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        let isApp = try await grant.hasTarget(in: database)
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let id: FlowID = occasion.id()
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                guard isApp else { return Refusal(.appNotFound) }
                guard request.principal.covers(grant) else { return Refusal(.permissionDenied) }
                let user = try await transaction.batch { batch in
                    batch.insertUser(occasion.id(), email: email, at: occasion.now)
                    return batch.user(email: email)
                }
                guard let user, !user.isDeactivated else {
                    return Refusal(.conflict, detail: "The user of this address is deactivated.")
                }
                try await transaction.batch { batch in
                    begin(id, user, email, grant, request, occasion, in: &batch)
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    /// Writes the flow, what it is about, its mail and its event.
    private func begin(
        _ id: FlowID, _ user: UserRecord, _ email: EmailAddress, _ grant: AdminGrant, _ request: AdminRequest,
        _ occasion: Occasion, in batch: inout AppBatch
    ) {
        let app = batch.scope.appID
        let flow = NewInvitationFlow(
            id: id, user: user.id, secrets: FlowSecrets(app: app, flow: id, kind: .adminInvitation, keys: keys),
            token: .make(.flow, random: random), createdAt: occasion.now,
            expiresAt: occasion.now + Lifetimes.adminInvitation)
        batch.supersedeFlows(.adminInvitation, of: email, at: occasion.now)
        batch.insertInvitationFlow(flow)
        batch.insertAdminInvitation(id, grant, by: request.principal.person)
        batch.enqueue(
            AdminInvitationMail.message(
                id: occasion.id(), flow: id, user: user.id, recipientHash: keys.recipientHash(email, in: app),
                at: occasion.now, expiresAt: flow.expiresAt - Lifetimes.mailMargin))
        batch.record(
            occasion.event(.adminInvited, by: request.actor, userID: user.id, flowID: id).about(grant))
    }

    /// An invitation as it stands; nil if there is none of this id.
    package func invitation(_ id: FlowID) async throws -> AdminInvitationRecord? {
        guard let scope = try await database.scope(of: .gatepost) else { return nil }
        return try await database.batch(in: scope) { $0.adminInvitation(id) }
    }

    /// What accepting came to.
    package enum Outcome: Sendable {
        case joined(UserID)
        case refused(Refusal)
    }

    /// Accepts an invitation by its link: the address is proved and the role given, in one transaction, once.
    ///
    /// - Parameters:
    ///   - link: The token in the link.
    ///   - password: Chosen by somebody who has none here yet; not looked at for anybody else.
    ///   - scope: The built-in app.
    ///   - origin: Where the request came from.
    /// - Returns: Who joined, or why nobody did.
    /// - Throws: `PostgresError`.
    package func accept(
        _ link: OneTimeToken, choosing password: Secret?, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        var occasion = Occasion(now: clock.now, origin: origin, random: random)
        let standing = try await database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: keys.epochs, at: occasion.now)
        }
        guard let standing, standing.kind == .adminInvitation,
            let invitation = try await database.batch(in: scope, { $0.adminInvitation(standing.id) })
        else { return try await refuse(Refusal(.invalidLink), in: scope, occasion) }
        var passwordHash: String?
        if !invitation.hasPassword {
            guard let password else {
                return try await refuse(
                    Refusal(.invalidRequest, detail: "password is missing."), in: scope, occasion, flow: standing.id)
            }
            let email = EmailAddress(standing.email)
            if let refusal = try await rules.refusal(of: password, for: email, in: scope) {
                return try await refuse(refusal, in: scope, occasion, flow: standing.id)
            }
            passwordHash = try await hasher.hashUnlessBusy(password)
            guard passwordHash != nil else { return try await refuse(.busy, in: scope, occasion, flow: standing.id) }
            // The hash may have waited.
            occasion = Occasion(now: clock.now, origin: origin, random: random)
        }
        let moment = occasion
        let hash = passwordHash
        let user = try await database.transaction(in: scope) { transaction in
            try await join(link, invitation, hash, transaction, moment)
        }
        guard let user else { return try await refuse(Refusal(.invalidLink), in: scope, occasion, flow: standing.id) }
        return .joined(user)
    }

    /// Consumes the flow and gives what it promises; nil if another was first or the promise is void.
    private func join(
        _ link: OneTimeToken, _ invitation: AdminInvitationRecord, _ passwordHash: String?,
        _ transaction: AppTransaction, _ occasion: Occasion
    ) async throws -> UserID? {
        // Before any other row, in the order of whatever takes rights away.
        _ = try await transaction.lockOwners()
        if let inviter = invitation.invitedBy {
            let grants = try await transaction.batch { $0.adminGrants(of: inviter) }
            let maker = AdminPrincipal(.admin(inviter), grants: grants)
            guard maker.may(.adminsWrite, in: nil), maker.covers(invitation.grant) else { return nil }
        }
        let flow = try await transaction.consumeFlow(
            .adminInvitation, .linkAlone(link), epochs: keys.epochs, at: occasion.now)
        guard let flow, let user = flow.userID else { return nil }
        let known = try await transaction.batch { $0.adminGrants(of: user) }
        try await transaction.batch { batch in
            if let passwordHash {
                batch.markVerified(user, at: occasion.now)
                batch.setPassword(passwordHash, of: user, at: occasion.now)
            }
            // An owner who is invited as an auditor stays an owner; of two roles that open different things, the new
            // one counts.
            if !known.contains(where: { $0.app == invitation.grant.app && $0.covers(invitation.grant) }) {
                batch.setAdminGrant(invitation.grant, of: user, id: occasion.id(), at: occasion.now)
            }
            batch.record(
                occasion.event(.adminJoined, by: .user, userID: user, flowID: flow.id).about(invitation.grant))
        }
        return user
    }

    private func refuse(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        try await database.batch(in: scope) { batch in
            batch.record(
                occasion.event(.verificationRefused, by: .anyone, flowID: flow, reason: refusal.code.rawValue))
        }
        return .refused(refusal)
    }
}
