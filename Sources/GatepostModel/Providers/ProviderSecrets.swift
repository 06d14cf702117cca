import Crypto

/// A provider's secret as its row keeps it: sealed for this row and no other.
package enum ProviderSecretSeal {
    /// The longest secret in bytes: a private key in PEM has less than 300.
    package static let bytesMax = 4096

    /// Seals a secret for its provider's row.
    package static func seal(
        _ secret: Secret, of provider: IdentityProviderID, in app: AppID, keys: KeyRing
    ) throws -> [UInt8] {
        try keys.seal(Array(secret.revealed.utf8), at: place(provider, app))
    }

    /// Opens it again; throws `SealBroken` for another row's, app's or key's.
    package static func open(
        _ sealed: [UInt8], of provider: IdentityProviderID, in app: AppID, keys: KeyRing
    ) throws -> Secret {
        Secret(String(decoding: try keys.open(sealed, at: place(provider, app)), as: UTF8.self))
    }

    private static func place(_ provider: IdentityProviderID, _ app: AppID) -> SealedPlace {
        SealedPlace(table: "identity_providers", column: "secret_sealed", app: app, row: provider.uuid.bytes)
    }
}

/// The provider's tokens as an identity's row keeps them, where an app asks for them.
package enum ProviderTokensSeal {
    /// Seals tokens for the row that their identity has or will have.
    package static func seal(
        _ json: [UInt8], of identity: UserIdentityID, in app: AppID, keys: KeyRing
    ) throws -> [UInt8] {
        try keys.seal(json, at: place(identity, app))
    }

    /// Opens them again.
    package static func open(
        _ sealed: [UInt8], of identity: UserIdentityID, in app: AppID, keys: KeyRing
    ) throws -> [UInt8] {
        try keys.open(sealed, at: place(identity, app))
    }

    private static func place(_ identity: UserIdentityID, _ app: AppID) -> SealedPlace {
        SealedPlace(table: "user_identities", column: "tokens_sealed", app: app, row: identity.uuid.bytes)
    }
}

/// What binds one way to a provider and back: derived when it is needed, stored nowhere.
///
/// The state comes from chance and is kept as a hash; nonce and PKCE verifier are HMACs under a key of the ring, so
/// that a dump of the database redeems no provider's code.
package struct ProviderSignInSecrets: Sendable {
    /// The key ring's epoch, which the row keeps.
    package let epoch: Int16
    /// What the ID token must repeat (OpenID Connect Core, section 3.1.2.1).
    package let nonce: String
    /// What redeems the provider's code, and its challenge (RFC 7636).
    package let verifier: Secret
    package let challenge: String

    /// Derives under the epoch of the row; nil once that epoch has been retired.
    package init?(app: AppID, signIn: ProviderSignInID, epoch: Int16, keys: KeyRing) {
        guard let key = keys.derivedKey(for: "provider-sign-in", epoch: epoch) else { return nil }
        func derive(_ purpose: String) -> String {
            let message = app.uuid.bytes + signIn.uuid.bytes + Array(purpose.utf8)
            return Base64URL.encode(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
        self.epoch = epoch
        nonce = derive("nonce")
        let verifier = derive("verifier")
        self.verifier = Secret(verifier)
        challenge = Base64URL.encode(SHA256.hash(data: Array(verifier.utf8)))
    }
}
