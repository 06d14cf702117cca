import Crypto

/// What lets a person in once who has lost their authenticator.
///
/// 120 bits of chance: more than the 112 from which a plain hash is enough (OWASP ASVS 6.5.2), so that no key and no
/// slow hash stands between somebody in need and their account.
package struct RecoveryCode: Sendable {
    /// How many a person gets at a time.
    package static let count = 10
    static let byteCount = 15
    private static let groupLength = 4

    /// In base 32, without what is there to make it readable.
    private let text: Secret

    /// Makes a new one.
    package static func make(random: any RandomSource) -> RecoveryCode {
        RecoveryCode(text: Secret(Base32.encode(random.bytes(byteCount))))
    }

    private init(text: Secret) {
        self.text = text
    }

    /// Takes what a person typed; case, spaces and hyphens do not count, and it is nil for what cannot be one.
    package init?(typed: String) {
        let text = typed.filter { $0 != " " && $0 != "-" }.uppercased()
        guard text.utf8.count == Self.byteCount * 8 / 5, Base32.isText(text) else { return nil }
        self.init(text: Secret(text))
    }

    /// As it is shown: six groups of four.
    package var shown: Secret {
        let letters = Array(text.revealed.lowercased())
        let groups = stride(from: 0, to: letters.count, by: Self.groupLength).map { start in
            String(letters[start..<min(start + Self.groupLength, letters.count)])
        }
        return Secret(groups.joined(separator: "-"))
    }

    /// What the database keeps; of another user's equal code it would be another.
    package func hash(of user: UserID, in app: AppID) -> [UInt8] {
        let place = Array("gatepost recovery code\u{0}".utf8) + app.uuid.bytes + user.uuid.bytes
        return Array(SHA256.hash(data: place + Array(text.revealed.utf8)))
    }
}
