import FoundationEssentials

/// What an endpoint's notices are signed with: `whsec_` and base 64 (Standard Webhooks).
///
/// The receiver must have the same bytes, so it cannot be kept as a hash: it is sealed under the key ring, for its
/// own row, and shown once.
package struct WebhookSecret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Bytes of chance in a new one; Standard Webhooks takes 24 to 64.
    package static let randomBytes = 32

    /// The key of the signature.
    package let bytes: [UInt8]

    /// Makes a new secret.
    package static func make(random: any RandomSource) -> WebhookSecret {
        WebhookSecret(bytes: random.bytes(randomBytes))
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The form in which the receiver is given it, once.
    package var text: Secret { Secret("whsec_" + Data(bytes).base64EncodedString()) }

    package var description: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static func == (left: Self, right: Self) -> Bool { constantTimeEqual(left.bytes, right.bytes) }

    /// Where a secret is sealed; it opens in no other row.
    private static func place(_ id: WebhookSecretID, in app: AppID) -> SealedPlace {
        SealedPlace(table: "webhook_secrets", column: "secret_sealed", app: app, row: id.uuid.bytes)
    }

    /// Seals the secret for its row.
    package func sealed(as id: WebhookSecretID, in app: AppID, keys: KeyRing) throws -> [UInt8] {
        try keys.seal(bytes, at: Self.place(id, in: app))
    }

    /// Opens what was sealed for this row; throws `SealBroken` for another row's, app's or key's.
    package init(sealed: [UInt8], as id: WebhookSecretID, in app: AppID, keys: KeyRing) throws {
        bytes = try keys.open(sealed, at: Self.place(id, in: app))
    }
}
