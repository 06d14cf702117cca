package import GatepostModel
import Postgres

/// An app's signing key as its row says.
package struct SigningKeyRecord: Sendable {
    /// Where a key is in its life.
    package enum State: String, Sendable, Codable {
        case next, active, retired
    }

    package let id: SigningKeyID
    /// The `alg` of the key's JWK (RFC 7518, section 3.1).
    package let algorithm: String
    /// A state that this version does not know counts as retired: nothing is signed with it.
    package let state: State
    /// X9.63 form of a P-256 point: 04, x, y.
    package let publicKey: [UInt8]
    package let privateSealed: [UInt8]
    package let createdAt: Instant
    package let activatedAt: Instant?
    package let retiredAt: Instant?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        algorithm = try row.get("algorithm")
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
    package let publicKey: [UInt8]
    package let privateSealed: [UInt8]
    package let at: Instant

    /// Describes a new ES256 key.
    package init(id: SigningKeyID, publicKey: [UInt8], privateSealed: [UInt8], at: Instant) {
        (self.id, self.publicKey, self.privateSealed, self.at) = (id, publicKey, privateSealed, at)
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
    /// Writes an app's first key, which signs at once: no verifier has cached a set without it.
    package mutating func insertFirstSigningKey(_ key: NewSigningKey) {
        add(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                      activated_at)
            values (\(scope.appID), \(key.id), 'ES256', 'active', \(key.publicKey), \(key.privateSealed), \(key.at),
                    \(key.at))
            """)
    }

    /// Writes an app's first key unless it has one that signs.
    ///
    /// - Returns: Whether it was written.
    package mutating func insertMissingSigningKey(_ key: NewSigningKey) -> BatchReading<Bool> {
        read(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                      activated_at)
            values (\(scope.appID), \(key.id), 'ES256', 'active', \(key.publicKey), \(key.privateSealed), \(key.at),
                    \(key.at))
            on conflict (app_id, algorithm) where state = 'active' do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// Writes the key that will follow, unless one is waiting already.
    ///
    /// - Returns: Whether it was written.
    package mutating func insertNextSigningKey(_ key: NewSigningKey) -> BatchReading<Bool> {
        read(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at)
            values (\(scope.appID), \(key.id), 'ES256', 'next', \(key.publicKey), \(key.privateSealed), \(key.at))
            on conflict (app_id, algorithm) where state = 'next' do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// Deletes a key at once, whatever its state; what it has signed is refused from here on.
    ///
    /// - Returns: Whether there was such a key.
    package mutating func deleteSigningKey(_ id: SigningKeyID) -> BatchReading<Bool> {
        read("delete from signing_keys where app_id = \(scope.appID) and id = \(id)") { $0.affectedCount == 1 }
    }

    /// Writes a key that signs at once, unless one does.
    ///
    /// - Returns: Whether it was written.
    package mutating func insertActiveSigningKey(_ key: NewSigningKey) -> BatchReading<Bool> {
        read(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                      activated_at)
            values (\(scope.appID), \(key.id), 'ES256', 'active', \(key.publicKey), \(key.privateSealed), \(key.at),
                    \(key.at))
            on conflict (app_id, algorithm) where state = 'active' do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// All keys of the app that are published, the active one first.
    package mutating func signingKeys() -> BatchReading<[SigningKeyRecord]> {
        read(
            """
            select id, algorithm, state, public_key, private_sealed, created_at, activated_at, retired_at
              from signing_keys
             where app_id = \(scope.appID)
             order by state, created_at desc
             limit 100
            """
        ) { try $0.map(SigningKeyRecord.init) }
    }
}
