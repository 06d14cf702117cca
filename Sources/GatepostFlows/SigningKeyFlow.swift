package import GatepostModel
package import GatepostStore

/// Makes an app's signing keys.
package struct SigningKeyFlow: Sendable {
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.clock, self.random, self.keys) = (clock, random, keys)
    }

    /// Withdraws a key that may have been stolen, at once: an operator's emergency.
    ///
    /// Whatever it has signed is refused by every node once its memory of keys has ended (`KeyCache.life`), and by
    /// other verifiers once they fetch the set again. If it was the active one, a new key signs in its place without
    /// the hour of notice, for which there is no time. A key that waits to follow goes on waiting: it was sealed beside
    /// the stolen one, and whoever revokes may want to revoke it too.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - database: Where it is.
    ///   - scope: Its app.
    /// - Returns: Whether there was such a key.
    /// - Throws: `PostgresError`, or what sealing throws.
    package func revoke(_ id: SigningKeyID, on database: Database, in scope: AppScope) async throws -> Bool {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let key = try SigningKeyMaterial.make(in: scope.appID, id: occasion.id(), keys: keys, at: occasion.now)
        return try await database.transaction(in: scope) { transaction in
            guard try await transaction.batch({ $0.deleteSigningKey(id) }) else { return false }
            let isReplaced = try await transaction.batch { $0.insertActiveSigningKey(key) }
            try await transaction.batch { batch in
                var event = occasion.event(.signingKeyRevoked, by: .operator)
                event.details["key_id"] = id.description
                batch.record(event)
                if isReplaced {
                    var event = occasion.event(.signingKeyActivated, by: .operator)
                    event.details["key_id"] = key.id.description
                    batch.record(event)
                }
            }
            return true
        }
    }

    /// Makes the key that will follow, within the caller's transaction; nothing if one is waiting already.
    ///
    /// The caller is a worker that settles its message in the same transaction: made and settled, or neither.
    package func makeNext(in transaction: AppTransaction) async throws {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let key = try SigningKeyMaterial.make(
            in: transaction.scope.appID, id: occasion.id(), keys: keys, at: occasion.now)
        guard try await transaction.batch({ $0.insertNextSigningKey(key) }) else { return }
        try await transaction.batch { $0.record(occasion.event(.signingKeyCreated, by: .worker)) }
    }
}
