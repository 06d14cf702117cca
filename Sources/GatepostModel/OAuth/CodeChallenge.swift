import Crypto

/// The S256 challenge of a client's PKCE verifier (RFC 7636).
///
/// The only method: `plain` protects nothing once the request leaks (RFC 9700, section 2.1.1).
package struct CodeChallenge: Hashable, Sendable {
    /// The challenge as presented, 43 characters of base 64.
    package let text: String

    /// Checks a presented challenge; nil unless it is a SHA-256 in base 64 for URLs.
    package init?(_ text: String) {
        guard text.utf8.count == 43, Base64URL.decode(Array(text.utf8))?.count == 32 else { return nil }
        self.text = text
    }

    /// The challenge that a verifier answers; nil unless it is of 43 to 128 unreserved characters (section 4.1).
    package init?(verifier: String) {
        guard (43...128).contains(verifier.utf8.count), verifier.utf8.allSatisfy(Self.isUnreserved) else { return nil }
        text = Base64URL.encode(SHA256.hash(data: Array(verifier.utf8)))
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "-._~".utf8.contains(byte)
        }
    }
}
