import Crypto
import GatepostModel

/// Apple's client secret: a token that is signed with the app's own key, made for each exchange.
///
/// Apple takes one that lives for six months; one of five minutes is worth nothing to whoever finds it.
enum AppleClientSecret {
    static let life: Duration = .minutes(5)

    /// The key that an admin gave; nil for what is none.
    static func key(_ secret: Secret) -> P256.Signing.PrivateKey? {
        try? P256.Signing.PrivateKey(pemRepresentation: secret.revealed)
    }

    /// The token (ES256); nil if the key does not open.
    static func make(
        key secret: Secret, keyID: String, teamID: String, clientID: String, audience: String, at now: Instant
    ) -> Secret? {
        guard let key = key(secret) else { return nil }
        // Every text in it is one that was checked when it was written down: no quotes, no backslashes.
        let header = #"{"alg":"ES256","kid":"\#(keyID)","typ":"JWT"}"#
        let claims = """
            {"iss":"\(teamID)","sub":"\(clientID)","aud":"\(audience)","iat":\(now.seconds),\
            "exp":\((now + life).seconds)}
            """
        let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
        guard let signature = try? key.signature(for: Array(signed.utf8)) else { return nil }
        return Secret(signed + "." + Base64URL.encode(signature.rawRepresentation))
    }
}
