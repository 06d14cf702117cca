package import GatepostModel
import Postgres

extension AppBatch {
    /// Starts the family of a session that has just been made of a code; none if it was not.
    package mutating func insertTokenFamily(
        _ id: TokenFamilyID, of session: SessionID, fromCode codeHash: [UInt8], at now: Instant
    ) {
        add(
            """
            insert into token_families (app_id, id, session_id, client_id, scope, created_at, expires_at)
            select s.app_id, \(id), s.id, s.client_id, a.scope, \(now), s.expires_at
              from sessions as s
              join authorization_codes as a on a.app_id = s.app_id and a.session_id = s.id
             where s.app_id = \(scope.appID) and s.id = \(session) and a.code_hash = \(codeHash)
            """)
    }

    /// Ends the families of one session.
    package mutating func endTokenFamilies(of session: SessionID, reason: SessionEndReason, at now: Instant) {
        add(
            """
            update token_families set ended_at = \(now), end_reason = \(reason.rawValue)
             where app_id = \(scope.appID) and session_id = \(session) and ended_at is null
            """)
    }

    /// Ends the families of a session that was ended at this moment.
    package mutating func endTokenFamilies(ofEnded session: SessionID, at now: Instant) {
        add(
            """
            update token_families as f set ended_at = \(now), end_reason = s.end_reason
              from sessions as s
             where s.app_id = \(scope.appID) and s.id = \(session) and s.ended_at = \(now)
               and f.app_id = s.app_id and f.session_id = s.id and f.ended_at is null
            """)
    }

    /// Ends the families of all sessions of a user.
    package mutating func endTokenFamilies(of user: UserID, reason: SessionEndReason, at now: Instant) {
        add(
            """
            update token_families as f set ended_at = \(now), end_reason = \(reason.rawValue)
              from sessions as s
             where s.app_id = \(scope.appID) and s.user_id = \(user)
               and f.app_id = s.app_id and f.session_id = s.id and f.ended_at is null
            """)
    }

    /// Ends the families of all sessions of a user but one.
    package mutating func endTokenFamilies(
        of user: UserID, except kept: SessionID?, reason: SessionEndReason, at now: Instant
    ) {
        add(
            """
            update token_families as f set ended_at = \(now), end_reason = \(reason.rawValue)
              from sessions as s
             where s.app_id = \(scope.appID) and s.user_id = \(user) and s.id is distinct from \(kept)
               and f.app_id = s.app_id and f.session_id = s.id and f.ended_at is null
            """)
    }
}
