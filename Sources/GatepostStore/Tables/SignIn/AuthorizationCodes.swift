package import GatepostModel
import Postgres

/// What a sign-in came to, before it is exchanged.
package struct NewAuthorizationCode: Sendable {
    package let code: OneTimeToken
    package let clientID: ClientID
    package let redirectURI: String
    package let challenge: CodeChallenge
    package let userID: UserID
    /// What the guard compares: the sign-in is for the password and the epoch that were read before the hash.
    package let authEpoch: Int32
    package let credentialVersion: Int32
    package let amr: [String]
    package let at: Instant

    /// Describes a code that is to be issued if nothing changed while the hash was computed.
    package init(
        code: OneTimeToken, clientID: ClientID, redirectURI: String, challenge: CodeChallenge, userID: UserID,
        authEpoch: Int32, credentialVersion: Int32, amr: [String], at: Instant
    ) {
        (self.code, self.clientID, self.redirectURI, self.challenge) = (code, clientID, redirectURI, challenge)
        (self.userID, self.authEpoch, self.credentialVersion) = (userID, authEpoch, credentialVersion)
        (self.amr, self.at) = (amr, at)
    }
}

/// What presenting a code at the token endpoint proved.
package struct CodePresentation: Sendable {
    package let code: OneTimeToken
    package let clientID: ClientID
    package let redirectURI: String
    package let challenge: CodeChallenge

    /// Gathers what the client sent; the challenge is computed from its verifier.
    package init(code: OneTimeToken, clientID: ClientID, redirectURI: String, challenge: CodeChallenge) {
        (self.code, self.clientID, self.redirectURI, self.challenge) = (code, clientID, redirectURI, challenge)
    }
}

/// What is known of a code after it was presented.
package struct PresentedCode: Sendable {
    package let userID: UserID
    package let clientID: ClientID
    /// The session that it gave; nil while it is unused.
    package let sessionID: SessionID?
}

extension AppBatch {
    /// Issues a code if user, epoch and credential are still those that were proved, and no second factor is asked for;
    /// writes the event with it.
    ///
    /// - Returns: Whether it was issued.
    package mutating func insertAuthorizationCode(
        _ new: NewAuthorizationCode, recording event: AuditEvent
    ) -> BatchReading<Bool> {
        read(
            """
            with issued as (
              insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                               code_challenge, amr, authenticated_at, created_at, expires_at)
              select \(scope.appID), \(new.code.hash), \(new.clientID), u.id, u.auth_epoch, \(new.redirectURI),
                     \(new.challenge.text), \(new.amr), \(new.at), \(new.at), \(new.at + Lifetimes.authorizationCode)
                from users as u
                join credentials as c on c.app_id = u.app_id and c.user_id = u.id and c.kind = 'password'
               where u.app_id = \(scope.appID) and u.id = \(new.userID) and u.state = 'active'
                 and u.email_verified_at is not null and u.auth_epoch = \(new.authEpoch)
                 and c.version = \(new.credentialVersion) and not \(scope.asksForFactor)
              returning user_id
            )
            \(insertion(of: event, "from issued"))
            """
        ) { $0.affectedCount == 1 }
    }

    /// Uses a code up for a session that is about to be made; one of any number of racing callers gets it.
    ///
    /// A wrong client, redirect URI or verifier uses nothing up: whoever intercepted a code cannot spoil it. A code
    /// goes with the browser's session that answered for it: where that was ended, no other one begins from it.
    package mutating func redeemCode(_ presented: CodePresentation, for session: SessionID, at now: Instant) {
        add(
            """
            update authorization_codes as a set redeemed_at = \(now), session_id = \(session)
              from users as u
             where a.app_id = \(scope.appID) and a.code_hash = \(presented.code.hash)
               and a.client_id = \(presented.clientID) and a.redirect_uri = \(presented.redirectURI)
               and a.code_challenge = \(presented.challenge.text)
               and a.redeemed_at is null and a.expires_at > \(now)
               and u.app_id = a.app_id and u.id = a.user_id and u.state = 'active' and u.auth_epoch = a.auth_epoch
               and ('mfa' = any (a.amr) or not \(scope.requiresFactor))
               and not exists (select from sessions as h
                                where h.app_id = a.app_id and h.id = a.hosted_session_id
                                  and h.ended_at is not null and h.end_reason <> 'replaced')
            """)
    }

    /// What became of a presented code; nil for one that was never issued, or not to this client.
    ///
    /// Without the client, the redirect URI and the verifier it is nobody's second use: whoever found a used code
    /// somewhere cannot end the session that it gave.
    package mutating func presentedCode(_ presented: CodePresentation) -> BatchReading<PresentedCode?> {
        read(
            """
            select user_id, client_id, session_id from authorization_codes
             where app_id = \(scope.appID) and code_hash = \(presented.code.hash)
               and client_id = \(presented.clientID) and redirect_uri = \(presented.redirectURI)
               and code_challenge = \(presented.challenge.text)
            """
        ) { rows in
            try rows.first.map { row in
                PresentedCode(
                    userID: try row.get("user_id"), clientID: try row.get("client_id"),
                    sessionID: try row.get("session_id"))
            }
        }
    }
}
