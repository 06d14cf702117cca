package import GatepostModel
package import GatepostStore

/// Tells a client who its user is, as far as its access token's scope goes (OpenID Connect Core, section 5.3).
package struct UserInfoFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, verifier: TokenVerifier) {
        (self.database, self.clock, self.verifier) = (database, clock, verifier)
    }

    /// What presenting an access token came to.
    package enum Outcome: Sendable {
        /// What is known, how far the scope goes, and what the client calls the user.
        case known(UserClaims, GrantScope, subject: String)
        /// No token of this app's, or one of a session that has ended.
        case invalidToken
        /// The client has not asked for `openid`.
        case insufficientScope
    }

    /// Reads what is known now, and not what was when the token was issued.
    package func claims(ofAccessToken token: String, in scope: AppScope) async throws -> Outcome {
        let now = clock.now
        guard let claims = try await verifier.verify(token, in: scope, at: now) else { return .invalidToken }
        let known = try await database.batch(in: scope) { batch in
            batch.userClaims(ofSession: claims.sid, of: claims.sub, at: now)
        }
        guard let known else { return .invalidToken }
        guard claims.scope.contains(.openid) else { return .insufficientScope }
        let subject = try await verifier.subject(of: known.userID, in: known.sector, scope)
        return .known(known, claims.scope, subject: subject)
    }
}
