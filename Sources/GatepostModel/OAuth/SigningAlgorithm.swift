/// What an app signs tokens with, as the header of a token names it (RFC 7518, section 3.1).
package enum SigningAlgorithm: String, Sendable, Codable, CaseIterable {
    /// ECDSA on P-256 with SHA-256: short and quick.
    case es256 = "ES256"
    /// RSASSA-PKCS1-v1_5 with SHA-256: what every OpenID client knows (OpenID Connect Core, section 15.1).
    case rs256 = "RS256"

    /// What every access token is signed with; ID tokens are signed with what their client asks for.
    package static let ofAccessTokens = SigningAlgorithm.es256
}
