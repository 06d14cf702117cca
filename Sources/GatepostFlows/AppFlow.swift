package import GatepostModel
package import GatepostStore

/// Creates apps and their clients, for an operator.
package struct AppFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// Creates an app with its first signing key, in one transaction: there is no moment without a key.
    package func createApp(named name: String, settings: AppSettings = AppSettings()) async throws -> AppID {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let app: AppID = occasion.id()
        let key = try SigningKeyMaterial.make(in: app, id: occasion.id(), keys: keys, at: occasion.now)
        try await database.createApp(app, named: name, settings: settings, at: occasion.now) { batch in
            batch.insertFirstSigningKey(key)
            batch.record(occasion.event(.appCreated, by: .operator))
        }
        return app
    }

    /// Registers a client of an app and where it may be sent back to.
    package func createClient(
        named name: String, redirectURIs: [RedirectURI], in scope: AppScope
    ) async throws -> ClientID {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let client: ClientID = occasion.id()
        try await database.batch(in: scope) { batch in
            batch.insertClient(client, named: name, redirectURIs: redirectURIs, at: occasion.now)
            batch.record(occasion.event(.clientCreated, by: .operator, clientID: client))
        }
        return client
    }
}
