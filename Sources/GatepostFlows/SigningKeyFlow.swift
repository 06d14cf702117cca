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
