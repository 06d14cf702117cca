package import GatepostModel
package import GatepostStore

/// Makes the built-in app usable: a signing key, and a client for whoever signs in to administer.
package struct AdminSetupFlow: Sendable {
    /// The client's name.
    package static let clientName = "Console"
    /// A loopback address: any port of it is taken (RFC 8252, section 7.3).
    static let redirectURI = "http://127.0.0.1/callback"

    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// Makes what is missing, in one transaction.
    ///
    /// Of two callers the second one waits for the first one's key and then finds its client.
    ///
    /// - Returns: The client; nil if the built-in app does not exist, which migrations make.
    /// - Throws: `PostgresError`.
    package func prepare() async throws -> ClientID? {
        guard let scope = try await database.scope(of: .gatepost) else { return nil }
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let key = try SigningKeyMaterial.makeES256(in: scope.appID, id: occasion.id(), keys: keys, at: occasion.now)
        let client: ClientID = occasion.id()
        return try await database.transaction(in: scope) { transaction in
            let isNewKey = try await transaction.batch { $0.insertActiveSigningKey(key) }
            let known = try await transaction.batch { $0.clients() }.first { $0.name == Self.clientName }
            try await transaction.batch { batch in
                if isNewKey { batch.record(occasion.event(.signingKeyCreated, by: .operator, about: key)) }
                guard known == nil else { return }
                batch.insertClient(
                    client, named: Self.clientName, redirectURIs: [Self.redirectURI].compactMap(RedirectURI.init),
                    at: occasion.now)
                batch.record(occasion.event(.clientCreated, by: .operator, clientID: client))
            }
            return known?.id ?? client
        }
    }
}
