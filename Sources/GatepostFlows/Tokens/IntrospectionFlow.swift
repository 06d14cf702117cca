package import GatepostModel
package import GatepostStore

/// Tells a confidential client whether a token of its own lives, and what it is (RFC 7662).
package struct IntrospectionFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, verifier: TokenVerifier) {
        (self.database, self.clock, self.verifier) = (database, clock, verifier)
    }

    /// A token that lives.
    package enum Living: Sendable {
        case access(TokenClaims)
        /// With what its client calls the user.
        case refresh(PresentedRefreshToken, subject: String)
    }

    /// What a token is; nil for one that is dead, unknown or another client's: which, nobody is told.
    ///
    /// The session is asked, and the user: a token of somebody who was deactivated is dead at once.
    package func introspect(_ token: String, by client: ClientID, in scope: AppScope) async throws -> Living? {
        let now = clock.now
        if let refreshToken = OneTimeToken(.refresh, presented: token) {
            let presented = try await database.batch(in: scope) { batch in
                batch.presentedRefreshToken(refreshToken, at: now)
            }
            guard let presented, presented.clientID == client, presented.isAlive, presented.usedAt == nil else {
                return nil
            }
            let subject = try await verifier.subject(of: presented.userID, in: presented.sector, scope)
            return .refresh(presented, subject: subject)
        }
        guard let claims = try await verifier.claims(of: token, in: scope, at: now), claims.clientID == client else {
            return nil
        }
        // A client's own token has no session that could have ended.
        guard let ofUser = AccessTokenClaims(claims) else { return claims.sid == nil ? .access(claims) : nil }
        let session = try await database.batch(in: scope) { batch in
            batch.liveSession(ofUser.sid, of: ofUser.sub, at: now)
        }
        return session.map { _ in .access(claims) }
    }
}
