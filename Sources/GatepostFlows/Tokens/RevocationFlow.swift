package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Ends what a token stands for, because its client asks (RFC 7009).
///
/// Whichever token it is, the session ends with all its tokens: who verifies an access token does not look it up, so
/// only the end of its session keeps it from being used within Gatepost (docs/decisions/0034).
package struct RevocationFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, verifier: TokenVerifier) {
        (self.database, self.clock, self.random, self.verifier) = (database, clock, random, verifier)
    }

    /// What asking came to.
    package enum Outcome: Sendable {
        /// The token is dead, or never lived: which, nobody is told.
        case done
        /// It was issued to another client, and lives on.
        case foreign
        /// It is a client's own, without a session: it lives for its few minutes.
        case unsupported
    }

    /// Ends the session of a token of this client's.
    package func revoke(
        _ token: String, by client: ClientID, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        if let refreshToken = OneTimeToken(.refresh, presented: token) {
            let presented = try await database.batch(in: scope) { batch in
                batch.presentedRefreshToken(refreshToken, at: occasion.now)
            }
            guard let presented else { return .done }
            return try await end(
                presented.sessionID, of: presented.userID, ofClient: presented.clientID, by: client, in: scope, occasion
            )
        }
        guard let claims = try await verifier.claims(of: token, in: scope, at: occasion.now) else { return .done }
        guard let claims = AccessTokenClaims(claims) else {
            return claims.clientID == client ? .unsupported : .foreign
        }
        return try await end(claims.sid, of: claims.sub, ofClient: claims.clientID, by: client, in: scope, occasion)
    }

    private func end(
        _ session: SessionID, of user: UserID?, ofClient owner: ClientID, by client: ClientID, in scope: AppScope,
        _ occasion: Occasion
    ) async throws -> Outcome {
        guard owner == client else {
            try await database.batch(in: scope) { batch in
                batch.record(
                    occasion.event(
                        .tokenRefused, by: .anyone, userID: user, clientID: client, sessionID: session,
                        reason: "client_mismatch"))
            }
            return .foreign
        }
        let reason = SessionEndReason.tokenRevoked
        try await database.batch(in: scope) { batch in
            batch.endSession(session, reason: reason, at: occasion.now)
            batch.endTokenFamilies(of: session, reason: reason, at: occasion.now)
            batch.record(
                occasion.event(
                    .sessionEnded, by: .user, userID: user, clientID: client, sessionID: session,
                    reason: reason.rawValue),
                ifEndedNow: session)
        }
        return .done
    }
}
