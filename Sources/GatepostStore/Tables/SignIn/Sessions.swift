package import GatepostModel
package import Postgres

/// Why a session ended; every ending has one.
package enum SessionEndReason: String, Sendable {
    case signedOut = "signed_out"
    case signedOutEverywhere = "signed_out_everywhere"
    case refreshReused = "refresh_reused"
    case codeReused = "code_reused"
    /// Its user ended it from another session.
    case endedElsewhere = "ended_elsewhere"
    case endedByAdmin = "ended_by_admin"
    case userDeactivated = "user_deactivated"
    /// The same browser has signed in anew.
    case replaced
    /// Its client has revoked one of its tokens.
    case tokenRevoked = "token_revoked"
    /// Its user no longer lets its client use the account.
    case consentRevoked = "consent_revoked"
    case passwordChanged = "password_changed"
    case passwordReset = "password_reset"
    case emailChanged = "email_changed"
    case emailChangeUndone = "email_change_undone"
    /// A second factor was set up, taken away or replaced.
    case factorChanged = "factor_changed"
    /// An admin has taken the second factor away.
    case factorReset = "factor_reset"
}

/// A session that may be used now, and its user.
package struct LiveSession: Sendable {
    package let id: SessionID
    package let clientID: ClientID
    /// The session of the hosted pages that it came from; nil where the client has screens of its own.
    package let hostedID: SessionID?
    package let expiresAt: Instant
    package let amr: [String]
    package let authenticatedAt: Instant
    /// Whether its client is the app's own and knows users by their ids: any other one is kept from the account itself.
    package let reachesAccount: Bool
    package let user: UserRecord
}

/// What a token says of the sign-in that it comes from.
package struct SessionProof: Sendable {
    package let id: SessionID
    package let userID: UserID
    /// How the user proved who they are (RFC 8176).
    package let amr: [String]
    package let authenticatedAt: Instant
    /// What else the app's settings let a client be told.
    package let told: ToldClaims
    /// What the client may be told.
    package let scope: GrantScope
    /// Whether the client is somebody else's, which is told no more than its scope asks for.
    package let isThirdParty: Bool
    /// Whose the client is, where it knows users by pairwise subjects; nil where it knows them by their ids.
    package let sector: String?
    /// What the client's ID token repeats; nil where it asked for none, and at every refresh.
    package let nonce: String?

    /// Gathers what is known.
    package init(
        id: SessionID, userID: UserID, amr: [String], authenticatedAt: Instant, told: ToldClaims = .none,
        scope: GrantScope = .none, isThirdParty: Bool = false, sector: String? = nil, nonce: String? = nil
    ) {
        (self.id, self.userID, self.amr, self.authenticatedAt) = (id, userID, amr, authenticatedAt)
        (self.told, self.scope, self.isThirdParty) = (told, scope, isThirdParty)
        (self.sector, self.nonce) = (sector, nonce)
    }
}

extension AppBatch {
    /// The session that this very batch may have made of a code; nil if it did not.
    package mutating func session(_ id: SessionID, fromCode codeHash: [UInt8]) -> BatchReading<SessionProof?> {
        read(
            """
            select s.user_id, s.amr, s.authenticated_at, a.scope, a.nonce, c.sector,
                   c.party = 'third_party' as is_third_party \(toldColumns())
              from sessions as s
              join authorization_codes as a on a.app_id = s.app_id and a.session_id = s.id
              join clients as c on c.app_id = s.app_id and c.id = s.client_id
             where s.app_id = \(scope.appID) and s.id = \(id) and a.code_hash = \(codeHash)
            """
        ) { [scope] rows in
            try rows.first.map { row in
                SessionProof(
                    id: id, userID: try row.get("user_id"), amr: try row.get("amr"),
                    authenticatedAt: try row.get("authenticated_at"), told: try Self.told(row, in: scope),
                    scope: GrantScope(try row.get("scope", as: String.self)),
                    isThirdParty: try row.get("is_third_party"), sector: try row.get("sector"),
                    nonce: try row.get("nonce"))
            }
        }
    }

    /// Starts the session for which a code has just been used up; none if the code was not.
    ///
    /// Its greatest age counts from the proof, which may be older than the code: being answered without being asked
    /// makes nobody's sign-in any younger.
    package mutating func insertSession(
        _ id: SessionID, fromCode codeHash: [UInt8], origin: RequestOrigin, at now: Instant
    ) {
        add(
            """
            insert into sessions (app_id, id, user_id, client_id, hosted_session_id, auth_epoch, amr, user_agent, ip,
                                  authenticated_at, created_at, last_used_at, idle_expires_at, expires_at)
            select app_id, \(id), user_id, client_id, hosted_session_id, auth_epoch, amr, \(origin.userAgent),
                   \(origin.ip), authenticated_at, \(now), \(now), \(now + scope.settings.refreshIdleLife),
                   least(\(now + scope.settings.sessionLife)::timestamptz,
                         authenticated_at + \(scope.settings.sessionLife.wholeSeconds)::bigint * interval '1 second')
              from authorization_codes
             where app_id = \(scope.appID) and code_hash = \(codeHash) and session_id = \(id)
            """)
    }

    /// Marks a session as used because its refresh token was exchanged for this successor.
    package mutating func touchSession(ofRefreshToken successorHash: [UInt8], at now: Instant) {
        add(
            """
            update sessions as s set last_used_at = \(now), idle_expires_at = \(now + scope.settings.refreshIdleLife)
              from refresh_tokens as t
              join token_families as f on f.app_id = t.app_id and f.id = t.family_id
             where t.app_id = \(scope.appID) and t.token_hash = \(successorHash)
               and s.app_id = f.app_id and s.id = f.session_id
            """)
    }

    /// That a session `s` of a user `u` may be used at a moment: not ended, within its limits, of the user's epoch.
    ///
    /// Checked by every read and not left to the job that ends stale sessions: a sweep is no boundary. The limits are
    /// those that the session was given, and the app's of today where they are shorter. So is a second factor: once the
    /// app or a role asks for one, a session in which none was proved stands no more.
    func sessionStands(at now: Instant) -> SQL {
        """
        s.ended_at is null and s.expires_at > \(now) and s.idle_expires_at > \(now)
        and s.authenticated_at > \(now - scope.settings.sessionLife)
        and s.last_used_at > \(now - scope.settings.refreshIdleLife)
        and u.state = 'active' and u.auth_epoch = s.auth_epoch
        and ('mfa' = any (s.amr) or not \(scope.requiresFactor))
        """
    }

    /// Lets one session of a user whose epoch was raised in this transaction live on: everything else is dead.
    ///
    /// Its refresh tokens are those that can still be presented: the unused one, and the one whose answer may be lost.
    package mutating func keepSession(_ id: SessionID, of user: UserID) {
        add(
            """
            update sessions as s set auth_epoch = u.auth_epoch
              from users as u
             where s.app_id = \(scope.appID) and s.id = \(id) and s.user_id = \(user) and s.ended_at is null
               and u.app_id = s.app_id and u.id = s.user_id
            """)
        restampRefreshTokens(of: id)
    }

    /// The statement that ends one session; a session that has ended keeps its first reason.
    ///
    /// Not run by itself: whoever ends a session owes the notice of it, in the same statement (`Outbox+sessions`).
    package func endingSession(_ id: SessionID, reason: SessionEndReason, at now: Instant) -> SQL {
        ending("id = \(id)", reason, at: now)
    }

    /// The statement that ends one session if it is this user's.
    package func endingSession(_ id: SessionID, of user: UserID, reason: SessionEndReason, at now: Instant) -> SQL {
        ending("id = \(id) and user_id = \(user)", reason, at: now)
    }

    /// The statement that ends all sessions of a user.
    package func endingSessions(of user: UserID, reason: SessionEndReason, at now: Instant) -> SQL {
        ending("user_id = \(user)", reason, at: now)
    }

    /// The statement that ends all sessions of a user but one.
    package func endingSessions(
        of user: UserID, except kept: SessionID, reason: SessionEndReason, at now: Instant
    ) -> SQL {
        ending("user_id = \(user) and id <> \(kept)", reason, at: now)
    }

    func ending(_ condition: SQL, _ reason: SessionEndReason, at now: Instant) -> SQL {
        """
        update sessions set ended_at = \(now), end_reason = \(reason.rawValue)
         where app_id = \(scope.appID) and \(condition) and ended_at is null
        returning app_id, id, user_id, client_id, end_reason
        """
    }

    /// A session and its user, if the session may be used now.
    ///
    /// - Parameters:
    ///   - id: Which.
    ///   - user: Whose it must be; nil where a token calls them by a pairwise subject.
    ///   - now: The moment.
    /// - Returns: The session.
    package mutating func liveSession(
        _ id: SessionID, of user: UserID?, at now: Instant
    ) -> BatchReading<LiveSession?> {
        read(
            """
            select s.id as session_id, s.client_id, s.hosted_session_id, s.expires_at, s.amr, s.authenticated_at,
                   u.id, u.email_entered, u.email_verified_at, u.state, u.auth_epoch, u.created_at,
                   u.deactivated_at, c.party = 'first_party' and c.sector is null as reaches_account
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
              join clients as c on c.app_id = s.app_id and c.id = s.client_id
             where s.app_id = \(scope.appID) and s.id = \(id) and s.user_id = coalesce(\(user)::uuid, s.user_id)
               and \(sessionStands(at: now))
            """
        ) { rows in
            try rows.first.map { row in
                LiveSession(
                    id: try row.get("session_id"), clientID: try row.get("client_id"),
                    hostedID: try row.get("hosted_session_id"), expiresAt: try row.get("expires_at"),
                    amr: try row.get("amr"), authenticatedAt: try row.get("authenticated_at"),
                    reachesAccount: try row.get("reaches_account"), user: try UserRecord(row))
            }
        }
    }
}
