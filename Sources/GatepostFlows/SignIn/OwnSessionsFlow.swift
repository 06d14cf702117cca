package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// What a signed-in user does with their sessions on all devices: sees them, ends one, ends all others.
package struct OwnSessionsFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// One page of the sessions that live, the newest first.
    package func sessions(
        of session: LiveSession, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [SessionRecord] {
        try await database.batch(in: scope) { batch in
            batch.liveSessions(of: session.user.id, after: cursor, at: clock.now, limit: limit)
        }
    }

    /// Ends one of the user's sessions with its refresh tokens, and the browser's session that it came from: this one,
    /// or one elsewhere.
    ///
    /// - Parameters:
    ///   - id: Which; one of somebody else is answered like one that is not there.
    ///   - session: The session that asks.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Why not; nil where it was ended.
    /// - Throws: `PostgresError`.
    package func end(
        _ id: SessionID, by session: LiveSession, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Refusal? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let user = session.user.id
        let found = try await database.batch(in: scope) { $0.liveSessionRecord(id, of: user, at: occasion.now) }
        guard let found else {
            let refusal = Refusal(.notFound)
            try await database.batch(in: scope) { batch in
                batch.record(
                    occasion.event(
                        .requestRefused, by: .user, userID: user, sessionID: session.id, reason: refusal.code.rawValue))
            }
            return refusal
        }
        let reason: SessionEndReason = id == session.id ? .signedOut : .endedElsewhere
        try await database.batch(in: scope) { batch in
            batch.endSession(id, reason: reason, at: occasion.now)
            batch.endTokenFamilies(of: id, reason: reason, at: occasion.now)
            batch.record(
                occasion.event(
                    .sessionEnded, by: .user, userID: user, clientID: found.clientID, sessionID: id,
                    reason: reason.rawValue),
                ifEndedNow: id)
            batch.endHostedSession(found.hostedID, of: user, reason: reason, by: .user, occasion)
        }
        return nil
    }

    /// Ends all sessions of the user but the one that asks, and every code that has not been exchanged yet.
    package func endOthers(
        than session: LiveSession, in scope: AppScope, from origin: RequestOrigin
    ) async throws {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        try await database.batch(in: scope) { batch in
            batch.endOtherSessions(
                than: session.id, of: session.user.id, client: session.clientID, occasion)
        }
    }
}

extension AppBatch {
    /// Ends all sessions of a user but the one that asks, and every code that has not been exchanged yet.
    ///
    /// The epoch is raised and the session that asks is stamped anew, in one transaction.
    mutating func endOtherSessions(
        than kept: SessionID, of user: UserID, client: ClientID?, _ occasion: Occasion
    ) {
        raiseEpoch(of: user)
        endSessions(of: user, except: kept, reason: .endedElsewhere, at: occasion.now)
        endTokenFamilies(of: user, except: kept, reason: .endedElsewhere, at: occasion.now)
        keepSession(kept, of: user)
        record(occasion.event(.userSignedOutElsewhere, by: .user, userID: user, clientID: client, sessionID: kept))
    }
}
