package import GatepostModel
package import Postgres

/// A browser that is signed in to the hosted pages: a session without a client, found by its cookie.
package struct HostedSession: Sendable {
    package let id: SessionID
    package let amr: [String]
    package let authenticatedAt: Instant
    package let expiresAt: Instant
    package let user: UserRecord
}

extension AppBatch {
    /// The session of the hosted pages that a cookie stands for, if it may be used now.
    package mutating func hostedSession(_ token: OneTimeToken, at now: Instant) -> BatchReading<HostedSession?> {
        read(
            """
            select s.id as session_id, s.expires_at, s.amr, s.authenticated_at,
                   u.id, u.email_entered, u.email_verified_at, u.state, u.auth_epoch, u.created_at,
                   u.deactivated_at
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
             where s.app_id = \(scope.appID) and s.token_hash = \(token.hash)
               and \(sessionStands(at: now)) and s.authenticated_at > \(now - scope.hostedSessionLife)
               and s.last_used_at > \(now - scope.hostedIdleLife)
            """
        ) { rows in
            try rows.first.map { row in
                HostedSession(
                    id: try row.get("session_id"), amr: try row.get("amr"),
                    authenticatedAt: try row.get("authenticated_at"), expiresAt: try row.get("expires_at"),
                    user: try UserRecord(row))
            }
        }
    }

    /// Starts a session of the hosted pages if the proof stands, is enough and, where a code is named, that was issued,
    /// or the request that it is for waits for consent in this very session.
    ///
    /// - Returns: Whether it began.
    package mutating func insertHostedSession(
        _ id: SessionID, token: OneTimeToken, for proof: SignInProof,
        ifIssued code: OneTimeToken? = nil, for request: AuthorizationRequestID? = nil, origin: RequestOrigin,
        at now: Instant
    ) -> BatchReading<Bool> {
        let issued: SQL =
            code.map { code in
                """
                and (exists (select from authorization_codes
                              where app_id = \(scope.appID) and code_hash = \(code.hash))
                     or exists (select from authorization_requests
                                 where app_id = \(scope.appID) and id = \(request)
                                   and consenting_session_id = \(id) and answered_at is null))
                """
            } ?? ""
        return read(
            """
            insert into sessions (app_id, id, user_id, token_hash, auth_epoch, amr, user_agent, ip, authenticated_at,
                                  created_at, last_used_at, idle_expires_at, expires_at)
            select u.app_id, \(id), u.id, \(token.hash), u.auth_epoch, \(proof.amr), \(origin.userAgent),
                   \(origin.ip), \(proof.authenticatedAt), \(now), \(now), \(now + scope.hostedIdleLife),
                   \(min(now, proof.authenticatedAt) + scope.hostedSessionLife)
              from users as u
             where \(proof.stands(in: scope.appID, at: now)) and \(proof.suffices(in: scope)) \(issued)
            """
        ) { $0.affectedCount == 1 }
    }

    /// Marks a session of the hosted pages as used, at most once a minute: a row is not rewritten for every page.
    package mutating func touchHostedSession(_ id: SessionID, at now: Instant) {
        add(
            """
            update sessions set last_used_at = \(now), idle_expires_at = \(now + scope.hostedIdleLife)
             where app_id = \(scope.appID) and id = \(id) and ended_at is null
               and last_used_at < \(now - .minutes(1))
            """)
    }

    /// Hangs what came from a browser's session on the one that has just taken its place, if it is the same user's.
    ///
    /// So a sign-out in a client signs the browser out as it is now, and nobody else who has signed in there since.
    package mutating func moveSessions(of old: SessionID, to new: SessionID) {
        add(
            """
            update sessions as s set hosted_session_id = h.id
              from sessions as h
             where h.app_id = \(scope.appID) and h.id = \(new)
               and s.app_id = h.app_id and s.hosted_session_id = \(old) and s.user_id = h.user_id
               and s.ended_at is null
            """)
    }

    /// The statement that ends the session that another one of the same browser has just taken the place of.
    package func endingSession(_ id: SessionID, replacedBy other: SessionID, at now: Instant) -> SQL {
        ending(
            """
            id = \(id) and exists (select from sessions as other
                                    where other.app_id = \(scope.appID) and other.id = \(other))
            """, .replaced, at: now)
    }
}
