import Crypto
import FoundationEssentials
package import GatepostModel
package import GatepostStore

/// What Gatepost itself reads from an access token.
package struct AccessTokenClaims: Decodable, Sendable {
    package let iss: String
    package let sub: UserID
    package let aud: AppID
    package let sid: SessionID
    package let exp: Int64
    package let iat: Int64

    enum CodingKeys: String, CodingKey {
        case iss, sub, aud, sid, exp, iat
    }
}

/// Verifies access tokens that this Gatepost issued for this app.
package struct TokenVerifier: Sendable {
    /// The longest token that is looked at, in bytes; one with all roles and permissions that there can be is shorter.
    package static let tokenBytesMax = 8192

    let cache: KeyCache
    let baseURL: String

    /// Wires the verifier.
    package init(cache: KeyCache, baseURL: String) {
        (self.cache, self.baseURL) = (cache, baseURL)
    }

    /// The claims of a valid token; nil for anything else.
    ///
    /// A token of another app fails thrice: no key of this app has its header, its signature is another's, and
    /// issuer and audience differ.
    package func verify(_ token: String, in scope: AppScope, at now: Instant) async throws -> AccessTokenClaims? {
        guard token.utf8.count <= Self.tokenBytesMax else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = String(parts[0]), let signature = Base64URL.decode(parts[2]),
            let payload = Base64URL.decode(parts[1])
        else { return nil }
        let keys = try await cache.keys(of: scope)
        guard let key = keys.verifying[header],
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.isValidSignature(signature, for: Array(token.utf8.dropLast(parts[2].count + 1))),
            let claims = try? JSONDecoder().decode(AccessTokenClaims.self, from: Data(payload))
        else { return nil }
        let tolerance = Lifetimes.clockTolerance.wholeSeconds
        guard claims.iss == TokenIssuer.issuer(of: scope.appID, baseURL: baseURL), claims.aud == scope.appID,
            claims.exp > now.seconds, claims.iat <= now.seconds + tolerance
        else { return nil }
        return claims
    }
}
