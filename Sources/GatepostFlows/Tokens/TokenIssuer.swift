import Crypto
package import GatepostModel
package import GatepostStore

/// What the token endpoint answers with (RFC 6749, section 5.1).
package struct TokenAnswer: Sendable {
    package let accessToken: Secret
    package let refreshToken: OneTimeToken
    /// Life of the access token in seconds.
    package let expiresIn: Int64
}

/// An app has no active key; its tokens cannot be signed until an operator makes one.
package struct NoActiveSigningKey: Error {}

/// Issues access tokens: JWTs of type `at+jwt` (RFC 9068), signed with the app's own key.
///
/// An encoder of our own over swift-crypto: the header's bytes are made once a key, the payload is written
/// straight into a buffer. jwt-kit takes five times as long for the same token.
package struct TokenIssuer: Sendable {
    let cache: KeyCache
    let random: any RandomSource
    /// Where Gatepost is reached; the issuer is an address below it.
    let baseURL: String

    /// Wires the issuer.
    package init(cache: KeyCache, random: any RandomSource, baseURL: String) {
        (self.cache, self.random, self.baseURL) = (cache, random, baseURL)
    }

    /// The issuer of an app's tokens: `{base}/apps/{app}`, the same string everywhere (RFC 9207, section 2.4).
    package static func issuer(of app: AppID, baseURL: String) -> String { issuer(of: "\(app)", baseURL: baseURL) }

    private static func issuer(of app: String, baseURL: String) -> String { "\(baseURL)/apps/\(app)" }

    /// Sees to it that a token can be signed; throws `NoActiveSigningKey`, or what kept the keys from being read.
    package func prepare(in scope: AppScope) async throws {
        guard try await cache.keys(of: scope).active != nil else { throw NoActiveSigningKey() }
    }

    /// Signs an access token for a session and puts the answer together.
    package func answer(
        for session: SessionProof, client: ClientID, refreshToken: OneTimeToken, in scope: AppScope, at now: Instant
    ) async throws -> TokenAnswer {
        let keys = try await cache.keys(of: scope)
        let life = scope.settings.accessTokenLife
        let token = try sign(session, client: client, life: life, keys: keys, in: scope, at: now)
        return TokenAnswer(accessToken: token, refreshToken: refreshToken, expiresIn: life.wholeSeconds)
    }

    /// Writes and signs the token; every value in it is an id, a number or checked configuration.
    package func sign(
        _ session: SessionProof, client: ClientID, life: Duration, keys: AppKeys, in scope: AppScope, at now: Instant
    ) throws -> Secret {
        guard let active = keys.active else { throw NoActiveSigningKey() }
        let app = keys.app
        let methods = session.amr.map { "\"\($0)\"" }.joined(separator: ",")
        let payload = """
            {"iss":"\(Self.issuer(of: app, baseURL: baseURL))","sub":"\(session.userID.description)",\
            "aud":"\(app)","client_id":"\(client.description)","app_id":"\(app)","sid":"\(session.id.description)",\
            "iat":\(now.seconds),"exp":\((now + life).seconds),"auth_time":\(session.authenticatedAt.seconds),\
            "amr":[\(methods)],"jti":"\(tokenID(at: now))"}
            """
        var token = active.header
        token.reserveCapacity(token.count + payload.utf8.count * 2 + 90)
        token.append(UInt8(ascii: "."))
        Base64URL.append(payload.utf8, to: &token)
        let signature = try active.key.signature(for: token)
        token.append(UInt8(ascii: "."))
        Base64URL.append(signature.rawRepresentation, to: &token)
        return Secret(String(decoding: token, as: UTF8.self))
    }

    /// What no other token is called by (RFC 7519, section 4.1.7): the microsecond and 64 bits of chance.
    ///
    /// It is no secret, and each further 64 bits would be a system call, a tenth of all that is beside the signature.
    /// Numbers of base 36 are short enough to be written without memory of their own.
    private func tokenID(at now: Instant) -> String {
        let chance = random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return "\(String(now.microseconds, radix: 36))-\(String(chance, radix: 36))"
    }
}
