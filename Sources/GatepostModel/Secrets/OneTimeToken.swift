import Crypto

/// A long secret that a machine carries: a refresh token, an authorization code, the secret of a mail's link.
///
/// 256 bits in base 64 behind a prefix that says what it is, so that a leaked one is recognised by a secret
/// scanner. The database keeps only its hash: a token has enough chance in it that a plain SHA-256 cannot be
/// guessed back (unlike a typed code, whose hash is keyed).
package struct OneTimeToken: Sendable {
    /// What a token is for, as its prefix says.
    package enum Purpose: String, Sendable {
        /// Held by whoever began a flow, and by nobody else.
        case flow = "gfl"
        /// In a mail's link.
        case link = "glk"
        /// Exchanged once at the token endpoint.
        case authorizationCode = "gac"
        /// Exchanged for its successor.
        case refresh = "grt"
        /// Carried by a program that uses the admin API, until it expires or is revoked.
        case apiKey = "gak"
        /// In the cookie that tells one browser from another before anybody has signed in.
        case browser = "gbr"
        /// In the cookie of a browser that is signed in to the hosted pages.
        case hostedSession = "ghs"
        /// What a confidential client proves itself with, until it is replaced or revoked.
        case clientSecret = "gcs"
        /// Stands for what a client has pushed, in the address that a browser is sent to.
        case pushedRequest = "gpr"
        /// The state that a provider gives back with its answer.
        case providerState = "gps"
        /// What an app redeems to have an identity linked that a provider has just proved.
        case identityLink = "gil"
        /// Held by whoever proved a first factor, until the second one is proved.
        case factorChallenge = "gfc"
    }

    /// Bytes of chance in a token.
    package static let randomBytes = 32

    /// The whole text with its prefix, as it is handed out once.
    package let secret: Secret

    /// Makes a new token.
    package static func make(_ purpose: Purpose, random: any RandomSource) -> OneTimeToken {
        OneTimeToken(purpose, bytes: random.bytes(randomBytes))
    }

    /// Makes the token that consists of these bytes, as a derived secret is made.
    package init(_ purpose: Purpose, bytes: some Sequence<UInt8>) {
        secret = Secret("\(purpose.rawValue)_\(Base64URL.encode(bytes))")
    }

    /// Takes what a caller presented; nil for the wrong prefix or length, so that no hash is spent on it.
    package init?(_ purpose: Purpose, presented text: String) {
        let prefix = "\(purpose.rawValue)_"
        guard text.utf8.count == prefix.utf8.count + 43, text.hasPrefix(prefix) else { return nil }
        secret = Secret(text)
    }

    /// What the forms carry that are shown to the browser with this token, so that no other page can make one up.
    ///
    /// Derived, and not the token itself: what stands in a page is worth nothing without the cookie.
    package var formToken: String {
        Base64URL.encode(SHA256.hash(data: Array("gatepost form\u{0}\(secret.revealed)".utf8)))
    }

    /// SHA-256 of the whole text: what the database keeps.
    package var hash: [UInt8] { Array(SHA256.hash(data: Array(secret.revealed.utf8))) }
}
