import GatepostModel
import GatepostStore

/// The key that an app has to get because a client's ID tokens are to be signed with an algorithm new to it.
///
/// It signs at once: the client for which it is made has no key set that could lack it, and a verifier that meets an
/// unknown key fetches the set again (docs/decisions/0044).
struct MissingSigningKey: Sendable {
    private let key: NewSigningKey

    /// Makes the key outside of any transaction; nil where the app has one, or gets it when it is created.
    static func make(
        for algorithm: SigningAlgorithm?, in scope: AppScope, on database: Database, keys: KeyRing, _ occasion: Occasion
    ) async throws -> MissingSigningKey? {
        guard let algorithm, algorithm != .ofAccessTokens,
            try await !database.batch(in: scope, { $0.hasActiveSigningKey(algorithm) })
        else { return nil }
        return MissingSigningKey(
            key: try await SigningKeyMaterial.make(
                algorithm, in: scope.appID, id: occasion.id(), keys: keys, at: occasion.now))
    }

    /// Writes the key, unless somebody else has been quicker.
    func insert(in transaction: AppTransaction, by actor: AuditEvent.Actor, _ occasion: Occasion) async throws {
        guard try await transaction.batch({ $0.insertActiveSigningKey(key) }) else { return }
        try await transaction.batch { $0.record(occasion.event(.signingKeyCreated, by: actor, about: key)) }
    }
}

extension Occasion {
    /// An event about a key that is written at this moment.
    func event(_ kind: AuditEvent.Kind, by actor: AuditEvent.Actor, about key: NewSigningKey) -> AuditEvent {
        var event = event(kind, by: actor)
        event.details["key_id"] = key.id.description
        event.details["algorithm"] = key.algorithm.rawValue
        return event
    }
}
