package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Signs a user out: here, or on every device.
package struct SignOutFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// Ends the session that asks, with its refresh tokens and the browser's session that it came from.
    package func signOut(_ session: LiveSession, in scope: AppScope, from origin: RequestOrigin) async throws {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        try await database.batch(in: scope) { batch in
            batch.endSession(session.id, reason: .signedOut, at: occasion.now)
            batch.endTokenFamilies(of: session.id, reason: .signedOut, at: occasion.now)
            batch.record(
                occasion.event(
                    .sessionEnded, by: .user, userID: session.user.id, clientID: session.clientID,
                    sessionID: session.id, reason: SessionEndReason.signedOut.rawValue))
            batch.endHostedSession(
                session.hostedID, of: session.user.id, reason: .signedOut, by: .user, occasion)
        }
    }

    /// Ends all sessions of the user that asks, and every code that has not been exchanged yet.
    ///
    /// The epoch is raised, so a sign-in that is half done elsewhere does not outlive this.
    package func signOutEverywhere(
        _ session: LiveSession, in scope: AppScope, from origin: RequestOrigin
    ) async throws {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let user = session.user.id
        try await database.batch(in: scope) { batch in
            batch.raiseEpoch(of: user)
            // Sessions before families, as everywhere: two orders could lock each other out.
            batch.endSessions(of: user, reason: .signedOutEverywhere, at: occasion.now)
            batch.endTokenFamilies(of: user, reason: .signedOutEverywhere, at: occasion.now)
            batch.record(
                occasion.event(
                    .userSignedOutEverywhere, by: .user, userID: user, clientID: session.clientID,
                    sessionID: session.id))
        }
    }
}
