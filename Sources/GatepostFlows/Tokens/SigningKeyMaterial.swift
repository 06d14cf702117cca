import Crypto
import GatepostModel
import GatepostStore

/// Makes and opens ES256 keys.
enum SigningKeyMaterial {
    /// A new key, its private half sealed for this app and this row.
    static func make(in app: AppID, id: SigningKeyID, keys: KeyRing, at now: Instant) throws -> NewSigningKey {
        let key = P256.Signing.PrivateKey()
        let sealed = try keys.seal(Array(key.rawRepresentation), at: place(app, id))
        return NewSigningKey(id: id, publicKey: Array(key.publicKey.x963Representation), privateSealed: sealed, at: now)
    }

    /// The private half of a stored key; throws `SealBroken` if its key-encryption key is gone.
    static func open(_ record: SigningKeyRecord, in app: AppID, keys: KeyRing) throws -> P256.Signing.PrivateKey {
        try P256.Signing.PrivateKey(rawRepresentation: keys.open(record.privateSealed, at: place(app, record.id)))
    }

    private static func place(_ app: AppID, _ id: SigningKeyID) -> SealedPlace {
        SealedPlace(table: "signing_keys", column: "private_sealed", app: app, row: id.uuid.bytes)
    }
}
