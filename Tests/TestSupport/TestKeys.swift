package import Crypto
package import CryptoExtras
package import GatepostModel
package import GatepostStore

/// Signing keys of a test's own, so that it can forge what a thief of the key could not do better.
package enum TestKeys {
    /// One RSA key for all tests: making one takes longer than most of them.
    package static var rsa: _RSA.Signing.PrivateKey { get throws { try made.get() } }

    private static let made = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }
}

extension TestApp {
    /// A key on P-256 as it is written, its private half sealed for this app.
    package func newSigningKey(_ key: P256.Signing.PrivateKey, _ id: SigningKeyID) throws -> NewSigningKey {
        NewSigningKey(
            id: id, algorithm: .es256, publicKey: Array(key.publicKey.x963Representation),
            privateSealed: try seal(Array(key.rawRepresentation), id), at: clock.now)
    }

    /// An RSA key as it is written.
    package func newSigningKey(_ key: _RSA.Signing.PrivateKey, _ id: SigningKeyID) throws -> NewSigningKey {
        NewSigningKey(
            id: id, algorithm: .rs256, publicKey: Array(key.publicKey.derRepresentation),
            privateSealed: try seal(Array(key.derRepresentation), id), at: clock.now)
    }

    /// Gives the app the tests' RSA key, which signs ID tokens from here on.
    ///
    /// - Returns: Its id.
    /// - Throws: What Postgres says.
    package func plantRSAKey() async throws -> SigningKeyID {
        let key = try newSigningKey(TestKeys.rsa, newID())
        _ = try await database.batch(in: scope) { $0.insertActiveSigningKey(key) }
        return key.id
    }

    private func seal(_ bytes: [UInt8], _ id: SigningKeyID) throws -> [UInt8] {
        try keys.seal(
            bytes, at: SealedPlace(table: "signing_keys", column: "private_sealed", app: self.id, row: id.uuid.bytes))
    }
}
