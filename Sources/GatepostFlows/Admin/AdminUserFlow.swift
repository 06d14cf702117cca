package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What admins do with an app's users: find them, look at them, deactivate and reactivate them.
package struct AdminUserFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let signal: OutboxSignal

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random, self.signal) = (database, clock, random, signal)
    }

    /// One page of an app's users, newest first.
    package func users(
        _ filter: UserFilter, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [UserRecord] {
        try await database.batch(in: scope) { $0.users(filter, after: cursor, limit: limit) }
    }

    /// One user with the sessions that live now; nil if the app has none of this id.
    package func user(_ id: UserID, in scope: AppScope) async throws -> UserDetail? {
        try await database.batch(in: scope) { batch in
            let sessions = batch.liveSessions(of: id, at: clock.now).and(batch.roles(of: id))
            return batch.user(id).and(sessions).and(batch.claims(of: id)).map { read, claims in
                let (user, lists) = read
                return user.map { UserDetail(user: $0, sessions: lists.0, roles: lists.1, claims: claims) }
            }
        }
    }

    /// Deactivates a user, in one transaction: nothing that they hold works any more, and who must know is owed it.
    ///
    /// The state is set and the epoch raised; sessions and token families end with the reason; flows that wait are
    /// refused; mails that are still owed to them are cancelled; the event says who did it and why. A user who is
    /// deactivated already stays as they are, and no second event is written. A user of the built-in app is an admin:
    /// nobody deactivates themselves or the last owner.
    ///
    /// - Parameters:
    ///   - id: Whom.
    ///   - note: Why, in the admin's own words, for the audit trail.
    ///   - request: Who asks.
    ///   - scope: The user's app.
    /// - Returns: The user's id, or why not.
    /// - Throws: `PostgresError`.
    package func deactivate(
        _ id: UserID, note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                if scope.appID == .gatepost,
                    let refusal = try await transaction.refusal(toChange: id, by: request, { _ in [] })
                {
                    return refusal
                }
                let (known, isChanged) = try await transaction.batch { batch in
                    let isChanged = batch.deactivateUser(id, at: occasion.now)
                    return batch.user(id).and(isChanged)
                }
                guard known != nil else { return Refusal(.notFound) }
                guard isChanged else { return nil }
                try await transaction.batch { batch in
                    let reason = SessionEndReason.userDeactivated
                    batch.endSessions(of: id, reason: reason, at: occasion.now)
                    batch.endTokenFamilies(of: id, reason: reason, at: occasion.now)
                    batch.refuseFlows(of: id, reason: reason.rawValue, at: occasion.now)
                    batch.cancelMails(to: id, reason: reason.rawValue, at: occasion.now)
                    batch.owe(.userDeactivated, about: id, at: occasion.now)
                    batch.record(event(.userDeactivated, id, note: note, request, occasion))
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    /// Lets a deactivated user sign in again; what ended with the deactivation stays ended.
    package func reactivate(
        _ id: UserID, note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                if scope.appID == .gatepost,
                    let refusal = try await transaction.refusal(toChange: id, by: request, { $0 })
                {
                    return refusal
                }
                let (known, isChanged) = try await transaction.batch { batch in
                    let isChanged = batch.reactivateUser(id)
                    return batch.user(id).and(isChanged)
                }
                guard known != nil else { return Refusal(.notFound) }
                guard isChanged else { return nil }
                try await transaction.batch { batch in
                    batch.owe(.userReactivated, about: id, at: occasion.now)
                    batch.record(event(.userReactivated, id, note: note, request, occasion))
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    private func event(
        _ kind: AuditEvent.Kind, _ user: UserID, note: String?, _ request: AdminRequest, _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(kind, by: request.actor, userID: user)
        if let note { event.details["note"] = note }
        return event
    }
}
