package import GatepostModel
import Postgres

/// An app's signing key as its row says.
package struct SigningKeyRecord: Sendable {
    /// Where a key is in its life.
    package enum State: String, Sendable, Codable {
        case next, active, retired
    }

    package let id: SigningKeyID
    /// What it signs with, and nothing else.
    package let algorithm: SigningAlgorithm
    /// A state that this version does not know counts as retired: nothing is signed with it.
    package let state: State
    /// With ES256 the X9.63 form of a P-256 point: 04, x, y; with RS256 a SubjectPublicKeyInfo in DER.
    package let publicKey: [UInt8]
    package let privateSealed: [UInt8]
    package let createdAt: Instant
    package let activatedAt: Instant?
    package let retiredAt: Instant?

    /// Reads a row; nil for an algorithm that this version does not know, which is a newer one's to use.
    init?(_ row: PostgresRow) throws {
        guard let algorithm = SigningAlgorithm(rawValue: try row.get("algorithm")) else { return nil }
        self.algorithm = algorithm
        id = try row.get("id")
        state = State(rawValue: try row.get("state")) ?? .retired
        publicKey = try row.get("public_key")
        privateSealed = try row.get("private_sealed")
        createdAt = try row.get("created_at")
        activatedAt = try row.get("activated_at")
        retiredAt = try row.get("retired_at")
    }
}

/// A key that is to be written, its private half sealed.
package struct NewSigningKey: Sendable {
    package let id: SigningKeyID
    package let algorithm: SigningAlgorithm
    /// As in `SigningKeyRecord`.
    package let publicKey: [UInt8]
    package let privateSealed: [UInt8]
    package let at: Instant

    /// Describes a new key.
    package init(
        id: SigningKeyID, algorithm: SigningAlgorithm, publicKey: [UInt8], privateSealed: [UInt8], at: Instant
    ) {
        (self.id, self.algorithm, self.publicKey) = (id, algorithm, publicKey)
        (self.privateSealed, self.at) = (privateSealed, at)
    }
}

extension SystemBatch {
    /// Reads since when the oldest key in use has signed, of all apps; nil while there is none.
    package mutating func oldestActiveSigningKey() -> BatchReading<Instant?> {
        read(
            """
            select activated_at from signing_keys where state = 'active' order by activated_at limit 1
            """
        ) { try $0.first?.get("activated_at") }
    }
}

extension AppBatch {
    /// Writes a key that signs at once, unless one of its algorithm does.
    ///
    /// An app's first one, which no verifier has cached a set without; or one in place of a key that was withdrawn.
    ///
    /// - Returns: Whether it was written.
    @discardableResult
    package mutating func insertActiveSigningKey(_ key: NewSigningKey) -> BatchReading<Bool> {
        insert(key, .active, activatedAt: key.at, unless: "state = 'active'")
    }

    /// Writes the key that will follow, unless one of its algorithm is waiting already.
    ///
    /// - Returns: Whether it was written.
    package mutating func insertNextSigningKey(_ key: NewSigningKey) -> BatchReading<Bool> {
        insert(key, .next, activatedAt: nil, unless: "state = 'next'")
    }

    private mutating func insert(
        _ key: NewSigningKey, _ state: SigningKeyRecord.State, activatedAt: Instant?, unless taken: SQL
    ) -> BatchReading<Bool> {
        read(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                      activated_at)
            values (\(scope.appID), \(key.id), \(key.algorithm.rawValue), \(state.rawValue), \(key.publicKey),
                    \(key.privateSealed), \(key.at), \(activatedAt))
            on conflict (app_id, algorithm) where \(taken) do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// Deletes a key at once, whatever its state; what it has signed is refused from here on.
    ///
    /// - Returns: Whether there was such a key.
    package mutating func deleteSigningKey(_ id: SigningKeyID) -> BatchReading<Bool> {
        read("delete from signing_keys where app_id = \(scope.appID) and id = \(id)") { $0.affectedCount == 1 }
    }

    /// Whether the app has a key of an algorithm that signs.
    package mutating func hasActiveSigningKey(_ algorithm: SigningAlgorithm) -> BatchReading<Bool> {
        read(
            """
            select from signing_keys
             where app_id = \(scope.appID) and algorithm = \(algorithm.rawValue) and state = 'active'
            """
        ) { !$0.isEmpty }
    }

    /// All keys of the app that are published, those that sign first, and ES256 before RS256.
    package mutating func signingKeys() -> BatchReading<[SigningKeyRecord]> {
        read(
            """
            select id, algorithm, state, public_key, private_sealed, created_at, activated_at, retired_at
              from signing_keys
             where app_id = \(scope.appID)
             order by state, algorithm, created_at desc
             limit 100
            """
        ) { try $0.compactMap(SigningKeyRecord.init) }
    }
}
