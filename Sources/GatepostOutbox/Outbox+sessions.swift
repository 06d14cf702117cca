package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Ends one session and owes the notice of it; a session that has ended keeps its first reason.
    package mutating func endSession(_ id: SessionID, reason: SessionEndReason, at now: Instant) {
        endAndOwe(endingSession(id, reason: reason, at: now), at: now)
    }

    /// Ends all sessions of a user and owes the notice of each.
    package mutating func endSessions(of user: UserID, reason: SessionEndReason, at now: Instant) {
        endAndOwe(endingSessions(of: user, reason: reason, at: now), at: now)
    }

    /// Ends one session of a user and owes the notice of it; nothing happens to somebody else's.
    package mutating func endSession(_ id: SessionID, of user: UserID, reason: SessionEndReason, at now: Instant) {
        endAndOwe(endingSession(id, of: user, reason: reason, at: now), at: now)
    }

    /// Ends the session that another one of the same browser has just taken the place of, and owes the notice of it.
    package mutating func endSession(_ id: SessionID, replacedBy other: SessionID, at now: Instant) {
        endAndOwe(endingSession(id, replacedBy: other, at: now), at: now)
    }

    /// Ends all sessions of a user but one and owes the notice of each.
    package mutating func endSessions(
        of user: UserID, except kept: SessionID, reason: SessionEndReason, at now: Instant
    ) {
        endAndOwe(endingSessions(of: user, except: kept, reason: reason, at: now), at: now)
    }

    /// Ends all sessions of a user with one client and owes the notice of each.
    package mutating func endSessions(
        of user: UserID, with client: ClientID, reason: SessionEndReason, at now: Instant
    ) {
        endAndOwe(endingSessions(of: user, with: client, reason: reason, at: now), at: now)
    }

    /// One statement, so that exactly the sessions that this call ended are told of: a racing one ends others.
    private mutating func endAndOwe(_ ending: SQL, at now: Instant) {
        let data: SQL = """
            jsonb_build_object('user_id', a.user_id, 'session_id', a.id, 'client_id', a.client_id,
                               'reason', a.end_reason)
            """
        let owing = notices(
            .sessionEnded, of: "select app_id, id, user_id, client_id, end_reason from ended", at: now, data: data,
            where: "a.app_id = \(scope.appID)")
        add("with ended as (\(ending)) \(owing)")
    }
}

extension AppBatch {
    /// Ends all sessions of a user but one, with their refresh tokens, and owes the notice of each.
    package mutating func endSessions(
        of user: UserID, except kept: SessionID?, reason: SessionEndReason, at now: Instant
    ) {
        endAndOwe(endingSessions(of: user, except: kept, reason: reason, at: now), at: now)
        endTokenFamilies(of: user, except: kept, reason: reason, at: now)
    }
}
