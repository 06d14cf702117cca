package import GatepostModel
package import GatepostStore

/// Tells whether a caller may state the address of the person it calls for.
///
/// An app whose own servers call the JSON API would otherwise have all its users behind one address, and their tries
/// counted together. Only a confidential client of the app's own that proves itself is believed, by an access token of
/// its own (`client_credentials`): whoever else could state addresses would have as many tries as there are addresses.
package struct StatedAddressFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, verifier: TokenVerifier) {
        (self.database, self.clock, self.verifier) = (database, clock, verifier)
    }

    /// The client whose own token this is, if it is still a confidential one of the app's own; nil for anybody else, a
    /// third party included.
    package func client(ofAccessToken token: String, in scope: AppScope) async throws -> ClientID? {
        guard let claims = try await verifier.claims(of: token, in: scope, at: clock.now), claims.sid == nil,
            claims.sub == claims.clientID.description,
            let client = try await database.batch(in: scope, { $0.client(claims.clientID) }),
            client.type == .confidential, client.party == .first
        else { return nil }
        return client.id
    }
}
