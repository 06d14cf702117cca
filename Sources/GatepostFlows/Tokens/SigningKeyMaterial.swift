import Crypto
import CryptoExtras
import Dispatch
import GatepostModel
import GatepostStore

/// Makes and opens signing keys.
enum SigningKeyMaterial {
    /// A new key on P-256, its private half sealed for this app and this row; it takes some microseconds.
    static func makeES256(in app: AppID, id: SigningKeyID, keys: KeyRing, at now: Instant) throws -> NewSigningKey {
        let key = P256.Signing.PrivateKey()
        return NewSigningKey(
            id: id, algorithm: .es256, publicKey: Array(key.publicKey.x963Representation),
            privateSealed: try keys.seal(Array(key.rawRepresentation), at: place(app, id)), at: now)
    }

    /// A new key of this algorithm.
    ///
    /// An RSA key takes 20 to 300 milliseconds, so it is made on a thread that answers nobody meanwhile.
    static func make(
        _ algorithm: SigningAlgorithm, in app: AppID, id: SigningKeyID, keys: KeyRing, at now: Instant
    ) async throws -> NewSigningKey {
        switch algorithm {
        case .es256: return try makeES256(in: app, id: id, keys: keys, at: now)
        case .rs256:
            let key = try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global(qos: .utility).async {
                    continuation.resume(with: Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) })
                }
            }
            return NewSigningKey(
                id: id, algorithm: .rs256, publicKey: Array(key.publicKey.derRepresentation),
                privateSealed: try keys.seal(Array(key.derRepresentation), at: place(app, id)), at: now)
        }
    }

    /// The private half of a stored key; throws `SealBroken` if its key-encryption key is gone.
    static func open(_ record: SigningKeyRecord, in app: AppID, keys: KeyRing) throws -> SigningKey {
        let bytes = try keys.open(record.privateSealed, at: place(app, record.id))
        return switch record.algorithm {
        case .es256: .es256(try P256.Signing.PrivateKey(rawRepresentation: bytes))
        case .rs256: .rs256(try _RSA.Signing.PrivateKey(derRepresentation: bytes))
        }
    }

    private static func place(_ app: AppID, _ id: SigningKeyID) -> SealedPlace {
        SealedPlace(table: "signing_keys", column: "private_sealed", app: app, row: id.uuid.bytes)
    }
}
