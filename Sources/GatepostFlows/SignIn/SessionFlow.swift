package import GatepostModel
package import GatepostStore

/// Tells whose session an access token belongs to, and whether it may still be used.
package struct SessionFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, verifier: TokenVerifier) {
        (self.database, self.clock, self.verifier) = (database, clock, verifier)
    }

    /// What presenting an access token came to.
    package enum Outcome: Sendable {
        case live(LiveSession)
        case refused(Refusal)
    }

    /// Verifies an access token of this app and reads its session.
    ///
    /// What is behind it is the account itself, which a client of somebody else's is kept from, and one that is not to
    /// know a user's id: what it may know, the userinfo endpoint says.
    ///
    /// Within Gatepost a session that was ended is dead at once; elsewhere an access token lives on for its life.
    package func session(ofAccessToken token: String, in scope: AppScope) async throws -> Outcome {
        let now = clock.now
        guard let claims = try await verifier.verify(token, in: scope, at: now) else {
            return .refused(Refusal(.invalidAccessToken))
        }
        let session = try await database.batch(in: scope) { $0.liveSession(claims.sid, of: claims.sub, at: now) }
        guard let session else { return .refused(Refusal(.sessionEnded)) }
        guard session.reachesAccount else {
            return .refused(
                Refusal(.permissionDenied, detail: "This client asks the userinfo endpoint who somebody is."))
        }
        return .live(session)
    }
}
