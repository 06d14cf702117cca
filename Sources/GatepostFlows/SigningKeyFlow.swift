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
    /// other verifiers once they fetch the set again. If it was the active one, a new key of its algorithm signs in its
    /// place without the hour of notice, for which there is no time. A key that waits to follow goes on waiting: it was
    /// sealed beside the stolen one, and whoever revokes may want to revoke it too.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - database: Where it is.
    ///   - scope: Its app.
    /// - Returns: Whether there was such a key.
    /// - Throws: `PostgresError`, or what sealing throws.
    package func revoke(_ id: SigningKeyID, on database: Database, in scope: AppScope) async throws -> Bool {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let known = try await database.batch(in: scope) { $0.signingKeys() }
        guard let revoked = known.first(where: { $0.id == id }) else { return false }
        // Also for a key that does not sign: it may begin to until it is deleted.
        let key = try await make(revoked.algorithm, in: scope)
        return try await database.transaction(in: scope) { transaction in
            guard try await transaction.batch({ $0.deleteSigningKey(id) }) else { return false }
            let isReplaced = try await transaction.batch { $0.insertActiveSigningKey(key) }
            try await transaction.batch { batch in
                var event = occasion.event(.signingKeyRevoked, by: .operator)
                event.details["key_id"] = id.description
                event.details["algorithm"] = revoked.algorithm.rawValue
                batch.record(event)
                if isReplaced { batch.record(occasion.event(.signingKeyActivated, by: .operator, about: key)) }
            }
            return true
        }
    }

    /// Makes a key, written nowhere yet: no transaction waits for it.
    package func make(_ algorithm: SigningAlgorithm, in scope: AppScope) async throws -> NewSigningKey {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        return try await SigningKeyMaterial.make(
            algorithm, in: scope.appID, id: occasion.id(), keys: keys, at: occasion.now)
    }

    /// Publishes a key that will follow, within the caller's transaction; nothing if one is waiting already.
    ///
    /// The caller is a worker that settles its message in the same transaction: published and settled, or neither.
    package func announce(_ key: NewSigningKey, in transaction: AppTransaction) async throws {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        guard try await transaction.batch({ $0.insertNextSigningKey(key) }) else { return }
        try await transaction.batch { $0.record(occasion.event(.signingKeyCreated, by: .worker, about: key)) }
    }
}
