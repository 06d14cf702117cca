package import GatepostModel
import Postgres

extension AppBatch {
    /// Writes an event.
    package mutating func record(_ event: AuditEvent) {
        record(event, where: "")
    }

    /// Writes an event if a code was issued in answer to a request, its client taken from there.
    package mutating func record(_ event: AuditEvent, ifAnsweredWith codeHash: [UInt8]) {
        record(
            event, clientID: "a.client_id",
            where: """
                from authorization_codes as a where a.app_id = \(scope.appID) and a.code_hash = \(codeHash)
                """)
    }

    /// Writes an event if a request waits for consent in this session, its client taken from there.
    package mutating func record(
        _ event: AuditEvent, ifConsentIsAsked request: AuthorizationRequestID, in session: SessionID
    ) {
        record(
            event, clientID: "r.client_id",
            where: """
                from authorization_requests as r
                where r.app_id = \(scope.appID) and r.id = \(request) and r.consenting_session_id = \(session)
                  and r.answered_at is null and r.expires_at > \(event.at)
                """)
    }

    /// Writes an event if this very transaction has written down a user's consent to a request.
    package mutating func record(_ event: AuditEvent, ifConsentedTo request: AuthorizationRequestID) {
        record(
            event, clientID: "k.client_id",
            where: """
                from consents as k
                where k.app_id = \(scope.appID) and k.user_id = \(event.userID) and k.request_id = \(request)
                  and k.xmin = pg_current_xact_id()::xid
                """)
    }

    /// Writes an event if the session was ended at this moment, its user and reason taken from there.
    package mutating func record(_ event: AuditEvent, ifEnded sessionID: SessionID) {
        record(
            event, userID: "s.user_id", sessionID: "s.id", reason: "s.end_reason",
            where: """
                from sessions as s
                where s.app_id = \(scope.appID) and s.id = \(sessionID) and s.ended_at = \(event.at)
                """)
    }

    /// Writes an event if this very transaction has refused a flow because no try at its code is left.
    package mutating func record(_ event: AuditEvent, ifExhausted flow: FlowID) {
        record(
            event,
            where: """
                where exists (select from flows
                               where app_id = \(scope.appID) and id = \(flow) and state = 'refused'
                                 and reason = 'code_attempts_exhausted' and xmin = pg_current_xact_id()::xid)
                """)
    }

    /// Writes an event if this very transaction has ended the session: of racing ones, one did.
    package mutating func record(_ event: AuditEvent, ifEndedNow sessionID: SessionID) {
        record(
            event,
            where: """
                where exists (select from sessions
                               where app_id = \(scope.appID) and id = \(sessionID) and ended_at is not null
                                 and xmin = pg_current_xact_id()::xid)
                """)
    }

    /// Writes an event if the sign-in waits for a second factor, its user taken from there.
    package mutating func record(_ event: AuditEvent, ifChallenged challenge: FactorChallengeID) {
        record(
            event, userID: "c.user_id",
            where: "from factor_challenges as c where c.app_id = \(scope.appID) and c.id = \(challenge)")
    }

    /// Writes an event if the session exists, its user taken from there.
    package mutating func record(_ event: AuditEvent, ifSessionExists sessionID: SessionID) {
        record(
            event, userID: "s.user_id",
            where: "from sessions as s where s.app_id = \(scope.appID) and s.id = \(sessionID)")
    }

    /// Writes an event if the identity has come about at this moment, its user taken from there.
    package mutating func record(_ event: AuditEvent, ifIdentityExists identity: UserIdentityID) {
        record(
            event, userID: "i.user_id",
            where: """
                from user_identities as i where i.app_id = \(scope.appID) and i.id = \(identity)
                """)
    }

    /// Writes an event if an identity that waited for this request was linked at this moment.
    package mutating func record(_ event: AuditEvent, ifIdentityLinkedBy request: AuthorizationRequestID) {
        record(
            event, userID: "i.user_id",
            where: """
                from provider_sign_ins as w
                join user_identities as i on i.app_id = w.app_id and i.id = w.identity_id
                where w.app_id = \(scope.appID) and w.request_id = \(request) and i.created_at = \(event.at)
                limit 1
                """)
    }

    /// Writes an event if this very transaction has linked the identity of this way, its user taken from there.
    package mutating func record(_ event: AuditEvent, ifIdentityLinkedOn way: ProviderSignInID) {
        record(
            event, userID: "i.user_id", sessionID: "w.session_id",
            where: """
                from provider_sign_ins as w
                join user_identities as i on i.app_id = w.app_id and i.id = w.identity_id
                where w.app_id = \(scope.appID) and w.id = \(way) and i.xmin = pg_current_xact_id()::xid
                """)
    }

    /// Writes an event if this very transaction has linked an identity that waited in this browser.
    package mutating func record(
        _ event: AuditEvent, ifIdentityLinkedIn session: SessionID, ofBrowser holderHash: [UInt8]
    ) {
        record(
            event, userID: "i.user_id", sessionID: "s.id",
            where: """
                from provider_sign_ins as w
                join user_identities as i on i.app_id = w.app_id and i.id = w.identity_id
                join sessions as s on s.app_id = i.app_id and s.user_id = i.user_id and s.id = \(session)
                where w.app_id = \(scope.appID) and w.browser_hash = \(holderHash) and w.request_id is null
                  and i.xmin = pg_current_xact_id()::xid
                limit 1
                """)
    }

    /// Writes an event if the refresh token exists, its user and session taken from there.
    package mutating func record(_ event: AuditEvent, ifRefreshTokenExists tokenHash: [UInt8]) {
        record(
            event, userID: "s.user_id", sessionID: "s.id",
            where: """
                from refresh_tokens as t
                join token_families as f on f.app_id = t.app_id and f.id = t.family_id
                join sessions as s on s.app_id = f.app_id and s.id = f.session_id
                where t.app_id = \(scope.appID) and t.token_hash = \(tokenHash)
                """)
    }

    private mutating func record(
        _ event: AuditEvent, userID: SQL? = nil, clientID: SQL? = nil, sessionID: SQL? = nil, reason: SQL? = nil,
        where condition: SQL
    ) {
        add(insertion(of: event, userID: userID, clientID: clientID, sessionID: sessionID, reason: reason, condition))
    }

    /// The statement that writes an event for each row of a `from` and `where`, or once without one.
    func insertion(
        of event: AuditEvent, userID: SQL? = nil, clientID: SQL? = nil, sessionID: SQL? = nil, reason: SQL? = nil,
        _ condition: SQL
    ) -> SQL {
        """
        insert into audit_events (app_id, id, kind, actor_kind, actor_id, user_id, client_id, session_id, flow_id,
                                  reason, ip, user_agent, details, created_at)
        select \(scope.appID), \(event.id), \(event.kind.rawValue), \(event.actor.kind), \(event.actor.id),
               \(userID ?? "\(event.userID)"), \(clientID ?? "\(event.clientID)"),
               \(sessionID ?? "\(event.sessionID)"), \(event.flowID), \(reason ?? "\(event.reason)"),
               \(event.origin.ip), \(event.origin.userAgent),
               \(event.detailsJSON), \(event.at)
        \(condition)
        """
    }
}
