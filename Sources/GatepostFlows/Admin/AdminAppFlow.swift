package import GatepostModel
package import GatepostStore

/// What admins do with apps: list them, look at one, create one.
package struct AdminAppFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// One page of the apps that somebody may read, oldest first.
    package func apps(
        visibleTo principal: AdminPrincipal, after cursor: PageCursor?, limit: Int
    ) async throws -> [AppRecord] {
        let only =
            principal.may(.appsRead, in: nil)
            ? nil : principal.grants.filter { $0.role.permissions.contains(.appsRead) }.compactMap(\.app)
        return try await database.apps(only: only, after: cursor, limit: limit)
    }

    /// Creates an app with its first signing key, in one transaction.
    package func create(named name: String, for request: AdminRequest) async throws -> AdminOutcome<AppID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let app: AppID = occasion.id()
        let key = try SigningKeyMaterial.make(in: app, id: occasion.id(), keys: keys, at: occasion.now)
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, app, occasion) {
                try await transaction.createApp(app, named: name, at: occasion.now) { batch in
                    batch.insertFirstSigningKey(key)
                    batch.record(occasion.event(.appCreated, by: request.actor))
                }
                return nil
            }
        }
    }
}
