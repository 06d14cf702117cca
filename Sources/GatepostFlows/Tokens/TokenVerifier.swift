import FoundationEssentials
package import GatepostModel
package import GatepostStore

/// What a valid access token says, a user's or a client's own.
package struct TokenClaims: Decodable, Sendable {
    package let iss: String
    /// The user's id or pairwise subject, or the client where it acts for itself.
    package let sub: String
    package let aud: AppID
    package let clientID: ClientID
    /// The session; nil for a client's own token.
    package let sid: SessionID?
    package let jti: String
    package let exp: Int64
    package let iat: Int64
    private let scopeText: String?

    /// What the client may be told of the user.
    package var scope: GrantScope { GrantScope(scopeText ?? "") }

    enum CodingKeys: String, CodingKey {
        case iss, sub, aud, sid, jti, exp, iat
        case clientID = "client_id"
        case scopeText = "scope"
    }
}

/// What Gatepost itself reads from an access token of a user's.
package struct AccessTokenClaims: Sendable {
    /// The user; nil where the token calls them by a pairwise subject: then the session says whose it is.
    package let sub: UserID?
    package let sid: SessionID
    package let clientID: ClientID
    package let scope: GrantScope

    /// Takes a user's token; nil for a client's own.
    init?(_ claims: TokenClaims) {
        let user = UserID(claims.sub)
        guard let session = claims.sid, user != nil || PairwiseSubjects.isSubject(claims.sub) else { return nil }
        (sub, sid, clientID, scope) = (user, session, claims.clientID, claims.scope)
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

    /// The claims of a valid token of a user's; nil for anything else.
    package func verify(_ token: String, in scope: AppScope, at now: Instant) async throws -> AccessTokenClaims? {
        try await claims(of: token, in: scope, at: now).flatMap(AccessTokenClaims.init)
    }

    /// The claims of a valid token, a user's or a client's own; nil for anything else.
    ///
    /// A token of another app fails thrice: no key of this app has its header, its signature is another's, and
    /// issuer and audience differ.
    package func claims(of token: String, in scope: AppScope, at now: Instant) async throws -> TokenClaims? {
        let keys = try await cache.keys(of: scope)
        guard let claims = claims(of: token, signedBy: keys, in: scope) else { return nil }
        let tolerance = Lifetimes.clockTolerance.wholeSeconds
        guard claims.exp > now.seconds, claims.iat <= now.seconds + tolerance else { return nil }
        return claims
    }

    /// The claims of a token of this app's, whenever it was or will be valid.
    private func claims(of token: String, signedBy keys: AppKeys, in scope: AppScope) -> TokenClaims? {
        guard token.utf8.count <= Self.tokenBytesMax else { return nil }
        let name = VerifiedTokens.name(of: token)
        if let known = cache.verified.claims(of: name, by: keys.reading) { return known }
        guard let claims = Self.payload(of: token, signedBy: keys.verifying, as: TokenClaims.self),
            claims.iss == TokenIssuer.issuer(of: scope.appID, baseURL: baseURL), claims.aud == scope.appID
        else { return nil }
        cache.verified.insert(name, claims, by: keys.reading)
        return claims
    }

    /// What a user is called by the clients of a sector.
    func subject(of user: UserID, in sector: String?, _ scope: AppScope) async throws -> String {
        guard sector != nil else { return user.description }
        return try await cache.keys(of: scope) { $0.knowsSubjects(in: sector) }.subject(of: user, in: sector)
    }

    /// The payload of a token whose header is one of these and whose signature is that key's; nil for anything else.
    static func payload<Claims: Decodable>(
        of token: String, signedBy keys: [String: VerifyingKey], as type: Claims.Type
    ) -> Claims? {
        guard token.utf8.count <= tokenBytesMax else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = String(parts[0]), let signature = Base64URL.decode(parts[2]),
            let payload = Base64URL.decode(parts[1]), let key = keys[header],
            key.verifies(signature, of: Array(token.utf8.dropLast(parts[2].count + 1)))
        else { return nil }
        return try? JSONDecoder().decode(type, from: Data(payload))
    }
}
