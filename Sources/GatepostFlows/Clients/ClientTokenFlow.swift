package import GatepostModel
package import GatepostStore

/// Gives a confidential client an access token of its own (RFC 6749, section 4.4): it acts for nobody else.
package struct ClientTokenFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let issuer: TokenIssuer

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, issuer: TokenIssuer) {
        (self.database, self.clock, self.random, self.issuer) = (database, clock, random, issuer)
    }

    /// Issues a token to a client that has proved who it is; there is no refresh token, since it can always ask again.
    package func issue(
        to client: ClientRecord, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> ClientTokenAnswer {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let answer = try await issuer.answer(for: client, in: scope, at: occasion.now)
        try await database.batch(in: scope) { batch in
            batch.record(occasion.event(.clientTokenIssued, by: .anyone, clientID: client.id))
        }
        return answer
    }
}
