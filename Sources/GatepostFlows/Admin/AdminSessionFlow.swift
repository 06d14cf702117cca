package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What admins do with the sessions of an app's user: list them, end one or all.
package struct AdminSessionFlow: Sendable {
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

    /// One page of the sessions that live, the newest first; nil if there is no such user.
    package func sessions(
        of user: UserID, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [SessionRecord]? {
        let (known, sessions) = try await database.batch(in: scope) { batch in
            let known = batch.user(user)
            return known.and(batch.liveSessions(of: user, after: cursor, at: clock.now, limit: limit))
        }
        return known == nil ? nil : sessions
    }

    /// Ends one session of a user with its refresh tokens.
    package func end(
        _ id: SessionID, of user: UserID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<SessionID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                if let refusal = try await transaction.refusal(toEndSessionsOf: user, by: request) { return refusal }
                let found = try await transaction.batch { $0.liveSessionRecord(id, of: user, at: occasion.now) }
                guard let found else { return Refusal(.notFound) }
                try await transaction.batch { batch in
                    let reason = SessionEndReason.endedByAdmin
                    batch.endSession(id, reason: reason, at: occasion.now)
                    batch.endTokenFamilies(of: id, reason: reason, at: occasion.now)
                    batch.record(
                        occasion.event(
                            .sessionEnded, by: request.actor, userID: user, clientID: found.clientID, sessionID: id,
                            reason: reason.rawValue),
                        ifEndedNow: id)
                    batch.endHostedSession(found.hostedID, of: user, reason: reason, by: request.actor, occasion)
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    /// Ends all sessions of a user, and every code that has not been exchanged yet; the user may sign in again.
    package func endAll(
        of user: UserID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, user, occasion) {
                if let refusal = try await transaction.refusal(toEndSessionsOf: user, by: request) { return refusal }
                guard try await transaction.batch({ $0.user(user) }) != nil else { return Refusal(.notFound) }
                try await transaction.batch { batch in
                    let reason = SessionEndReason.endedByAdmin
                    batch.raiseEpoch(of: user)
                    batch.endSessions(of: user, reason: reason, at: occasion.now)
                    batch.endTokenFamilies(of: user, reason: reason, at: occasion.now)
                    batch.record(
                        occasion.event(
                            .userSignedOutEverywhere, by: request.actor, userID: user, reason: reason.rawValue))
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }
}

extension AppTransaction {
    /// Why somebody's sessions may not be ended: those of the built-in app are admins', and not everybody's to end.
    fileprivate func refusal(toEndSessionsOf user: UserID, by request: AdminRequest) async throws -> Refusal? {
        guard scope.appID == .gatepost else { return nil }
        return try await refusal(toChange: user, by: request, { $0 })
    }
}
