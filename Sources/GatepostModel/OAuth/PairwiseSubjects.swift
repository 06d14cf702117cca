import Crypto

/// Whether a client knows users by their ids, or by what only its sector calls them (OpenID Connect Core, section 8).
package enum SubjectType: String, Sendable, Codable, CaseIterable {
    case `public`, pairwise
}

/// What a user is called in each sector of an app: two that compare notes cannot tell who is who.
package struct PairwiseSubjects: Sendable {
    /// How many bytes the secret has.
    package static let secretBytes = 32

    private let key: SymmetricKey

    /// Takes the app's secret.
    package init(secret: [UInt8]) {
        key = SymmetricKey(data: secret)
    }

    /// Whether a text has the form of a subject.
    package static func isSubject(_ text: String) -> Bool {
        Base64URL.decode(Array(text.utf8))?.count == SHA256.byteCount
    }

    /// A user's subject in a sector: 43 characters, the same each time.
    ///
    /// The id has a fixed length and stands last, so that no two pairs are hashed alike.
    package func subject(of user: UserID, in sector: String) -> String {
        Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Array(sector.utf8) + user.uuid.bytes, using: key))
    }
}
