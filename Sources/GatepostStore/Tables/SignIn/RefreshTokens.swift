package import GatepostModel
import Postgres

/// An exchange that a client asks for: its token, and the successor that it gets if it is the first to ask.
package struct RefreshExchange: Sendable {
    package let presented: OneTimeToken
    package let successor: OneTimeToken
    package let successorSealed: [UInt8]
    package let clientID: ClientID
    package let at: Instant

    /// Prepares an exchange; the successor is sealed under the presented token.
    package init(
        presented: OneTimeToken, successor: OneTimeToken, successorSealed: [UInt8], clientID: ClientID, at: Instant
    ) {
        (self.presented, self.successor, self.successorSealed) = (presented, successor, successorSealed)
        (self.clientID, self.at) = (clientID, at)
    }
}

/// What is known of a refresh token after its exchange was tried.
package struct PresentedRefreshToken: Sendable {
    package let familyID: TokenFamilyID
    package let sessionID: SessionID
    package let userID: UserID
    package let clientID: ClientID
    package let usedAt: Instant?
    package let successorHash: [UInt8]?
    package let successorSealed: [UInt8]?
    /// Whether the successor has itself been exchanged: then a repeat is no lost answer.
    package let isSuccessorUsed: Bool
    /// Whether family, session, user and epoch still stand.
    package let isAlive: Bool
    package let amr: [String]
    package let authenticatedAt: Instant
    /// What else the app's settings let a client be told.
    package let told: ToldClaims
    /// What the client may be told.
    package let scope: GrantScope
    /// Whether the client is somebody else's.
    package let isThirdParty: Bool
    /// Whose the client is, where it knows users by pairwise subjects.
    package let sector: String?
    package let createdAt: Instant
    package let expiresAt: Instant
}

extension AppBatch {
    /// That a token `t`, its family `f`, session `s` and user `u` all still stand.
    private func stands(at now: Instant) -> SQL {
        """
        f.ended_at is null and f.expires_at > \(now) and u.auth_epoch = t.auth_epoch and \(sessionStands(at: now))
        """
    }

    /// Puts the first token into a family that has just been made; none if it was not.
    package mutating func insertRefreshToken(_ token: OneTimeToken, into family: TokenFamilyID, at now: Instant) {
        add(
            """
            insert into refresh_tokens (app_id, token_hash, family_id, generation, auth_epoch, created_at, expires_at)
            select f.app_id, \(token.hash), f.id, 1, s.auth_epoch, \(now), \(now + scope.settings.refreshIdleLife)
              from token_families as f
              join sessions as s on s.app_id = f.app_id and s.id = f.session_id
             where f.app_id = \(scope.appID) and f.id = \(family)
            """)
    }

    /// Uses a token up and puts its successor in place: of any number of racing callers one does it.
    package mutating func exchangeRefreshToken(_ exchange: RefreshExchange) {
        let now = exchange.at
        add(
            """
            update refresh_tokens as t
               set used_at = \(now), successor_hash = \(exchange.successor.hash),
                   successor_sealed = \(exchange.successorSealed)
              from token_families as f
              join sessions as s on s.app_id = f.app_id and s.id = f.session_id
              join users as u on u.app_id = s.app_id and u.id = s.user_id
             where t.app_id = \(scope.appID) and t.token_hash = \(exchange.presented.hash)
               and t.used_at is null and t.expires_at > \(now)
               and f.app_id = t.app_id and f.id = t.family_id and f.client_id = \(exchange.clientID)
               and \(stands(at: now))
            """)
        add(
            """
            insert into refresh_tokens (app_id, token_hash, family_id, generation, auth_epoch, created_at, expires_at)
            select app_id, \(exchange.successor.hash), family_id, generation + 1, auth_epoch, \(now),
                   \(now + scope.settings.refreshIdleLife)
              from refresh_tokens
             where app_id = \(scope.appID) and token_hash = \(exchange.presented.hash)
               and successor_hash = \(exchange.successor.hash)
            """)
    }

    /// Forgets the sealed form of a token that has just been exchanged for this successor.
    ///
    /// Kept only while a repeat may be answered: otherwise a copy of the database and any used token of a family
    /// would open the next one, and so on down to the one that is alive.
    package mutating func forgetSealed(_ exchange: RefreshExchange) {
        add(
            """
            update refresh_tokens as p set successor_sealed = null
              from refresh_tokens as t
             where t.app_id = \(scope.appID) and t.token_hash = \(exchange.presented.hash)
               and t.successor_hash = \(exchange.successor.hash)
               and p.app_id = t.app_id and p.family_id = t.family_id and p.generation = t.generation - 1
            """)
    }

    /// Gives the refresh tokens of a session that can still be presented the session's epoch.
    mutating func restampRefreshTokens(of session: SessionID) {
        add(
            """
            update refresh_tokens as t set auth_epoch = s.auth_epoch
              from sessions as s
              join token_families as f on f.app_id = s.app_id and f.session_id = s.id
             where s.app_id = \(scope.appID) and s.id = \(session) and f.ended_at is null
               and t.app_id = f.app_id and t.family_id = f.id
               and (t.used_at is null or t.successor_sealed is not null)
            """)
    }

    /// What became of a presented token; nil for one that was never issued.
    package mutating func presentedRefreshToken(
        _ token: OneTimeToken, at now: Instant
    ) -> BatchReading<PresentedRefreshToken?> {
        read(
            """
            select f.id as family_id, f.client_id, s.id as session_id, s.user_id, s.amr, s.authenticated_at,
                   t.used_at, t.successor_hash, t.successor_sealed, t.created_at,
                   least(t.expires_at, f.expires_at) as expires_at, f.scope, c.sector,
                   c.party = 'third_party' as is_third_party,
                   exists (select from refresh_tokens as n
                            where n.app_id = t.app_id and n.token_hash = t.successor_hash
                              and n.used_at is not null) as is_successor_used,
                   t.expires_at > \(now) and \(stands(at: now)) as is_alive \(toldColumns())
              from refresh_tokens as t
              join token_families as f on f.app_id = t.app_id and f.id = t.family_id
              join sessions as s on s.app_id = f.app_id and s.id = f.session_id
              join users as u on u.app_id = s.app_id and u.id = s.user_id
              join clients as c on c.app_id = f.app_id and c.id = f.client_id
             where t.app_id = \(scope.appID) and t.token_hash = \(token.hash)
            """
        ) { [scope] rows in
            try rows.first.map { row in
                PresentedRefreshToken(
                    familyID: try row.get("family_id"), sessionID: try row.get("session_id"),
                    userID: try row.get("user_id"), clientID: try row.get("client_id"),
                    usedAt: try row.get("used_at"), successorHash: try row.get("successor_hash"),
                    successorSealed: try row.get("successor_sealed"),
                    isSuccessorUsed: try row.get("is_successor_used"), isAlive: try row.get("is_alive"),
                    amr: try row.get("amr"), authenticatedAt: try row.get("authenticated_at"),
                    told: try Self.told(row, in: scope),
                    scope: GrantScope(try row.get("scope", as: String.self)),
                    isThirdParty: try row.get("is_third_party"),
                    sector: try row.get("sector"),
                    createdAt: try row.get("created_at"), expiresAt: try row.get("expires_at"))
            }
        }
    }
}
