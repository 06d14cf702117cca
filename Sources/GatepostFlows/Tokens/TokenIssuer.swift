package import GatepostModel
package import GatepostStore

/// What the token endpoint answers with (RFC 6749, section 5.1).
package struct TokenAnswer: Sendable {
    package let accessToken: Secret
    package let refreshToken: OneTimeToken
    /// Life of the access token in seconds.
    package let expiresIn: Int64
    /// What the client may be told.
    package let scope: GrantScope
    /// Nil where the client has not asked for `openid`.
    package let idToken: Secret?
}

/// An app has no active key of an algorithm; what asks for it cannot be signed, and is not signed with another.
package struct NoActiveSigningKey: Error {
    package let algorithm: SigningAlgorithm
}

/// Issues access tokens, JWTs of type `at+jwt` (RFC 9068), and ID tokens, signed with the app's own keys.
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

    /// Sees to it that a client's tokens can be signed; throws `NoActiveSigningKey`, or what kept the keys from being
    /// read.
    package func prepare(idTokensBy algorithm: SigningAlgorithm, in scope: AppScope) async throws {
        let keys = try await cache.keys(of: scope) { $0.signs(idTokensBy: algorithm) }
        _ = (try keys.forAccessTokens, try keys.forIDTokens(algorithm))
    }

    /// Signs an access token for a session, an ID token if that was asked for, and puts the answer together.
    package func answer(
        for session: SessionProof, client: ClientID, idTokensBy algorithm: SigningAlgorithm,
        refreshToken: OneTimeToken, in scope: AppScope, at now: Instant
    ) async throws -> TokenAnswer {
        let keys = try await cache.keys(of: scope) { keys in
            keys.signs(idTokensBy: algorithm) && keys.knowsSubjects(in: session.sector)
        }
        let life = scope.settings.accessTokenLife
        let token = try sign(session, client: client, life: life, keys: keys, in: scope, at: now)
        let idToken =
            session.scope.contains(.openid)
            ? try signIDToken(session, client: client, by: keys.forIDTokens(algorithm), with: token, keys, life, now)
            : nil
        return TokenAnswer(
            accessToken: token, refreshToken: refreshToken, expiresIn: life.wholeSeconds, scope: session.scope,
            idToken: idToken)
    }

    private func signIDToken(
        _ session: SessionProof, client: ClientID, by signer: TokenSigner, with accessToken: Secret, _ keys: AppKeys,
        _ life: Duration, _ now: Instant
    ) throws -> Secret {
        let text = IDTokenText(
            issuer: Self.issuer(of: keys.app, baseURL: baseURL), session: session,
            subject: try keys.subject(of: session.userID, in: session.sector), client: client,
            accessToken: accessToken, expiresAt: now + life, now: now)
        return try Self.sign(text.bytes, by: signer)
    }

    /// Writes and signs the token; every value in it is an id, a number or checked configuration.
    package func sign(
        _ session: SessionProof, client: ClientID, life: Duration, keys: AppKeys, in scope: AppScope, at now: Instant
    ) throws -> Secret {
        let signer = try keys.forAccessTokens
        let payload = try payload(of: session, client: client, keys: keys, expiresAt: now + life, at: now)
        return try Self.sign(payload, by: signer)
    }

    /// Puts a token together and signs it.
    static func sign(_ payload: [UInt8], by signer: TokenSigner) throws -> Secret {
        var token = signer.header
        token.reserveCapacity(token.count + payload.count * 2 + 90)
        token.append(UInt8(ascii: "."))
        Base64URL.append(payload, to: &token)
        let signature = try signer.key.signature(for: token)
        token.append(UInt8(ascii: "."))
        Base64URL.append(signature, to: &token)
        return Secret(String(decoding: token, as: UTF8.self))
    }

    /// The claims (RFC 9068, section 2.2), written straight into bytes: an interpolated text takes three times as long.
    private func payload(
        of session: SessionProof, client: ClientID, keys: AppKeys, expiresAt: Instant, at now: Instant
    ) throws -> [UInt8] {
        let app = keys.app
        var bytes: [UInt8] = []
        bytes.reserveCapacity(600)
        bytes += #"{"iss":""#.utf8
        bytes += Self.issuer(of: app, baseURL: baseURL).utf8
        bytes += #"","sub":""#.utf8
        if session.sector == nil {
            session.userID.append(to: &bytes)
        } else {
            bytes += try keys.subject(of: session.userID, in: session.sector).utf8
        }
        bytes += #"","aud":""#.utf8
        bytes += app.utf8
        bytes += #"","client_id":""#.utf8
        client.append(to: &bytes)
        bytes += #"","app_id":""#.utf8
        bytes += app.utf8
        bytes += #"","sid":""#.utf8
        session.id.append(to: &bytes)
        bytes += #"","iat":"#.utf8
        bytes += String(now.seconds).utf8
        bytes += #","exp":"#.utf8
        bytes += String(expiresAt.seconds).utf8
        bytes += #","auth_time":"#.utf8
        bytes += String(session.authenticatedAt.seconds).utf8
        bytes += #","amr":["#.utf8
        Self.append(session.amr, to: &bytes)
        if let claims = session.told(in: .accessToken).roles {
            bytes += #"],"roles":["#.utf8
            Self.append(claims.roles, to: &bytes)
            bytes += #"],"permissions":["#.utf8
            Self.append(claims.permissions, to: &bytes)
        }
        bytes += #"],"acr":""#.utf8
        bytes += AuthenticationClass(methods: session.amr).rawValue.utf8
        bytes += #"""#.utf8
        bytes += session.told(in: .accessToken).members.utf8
        bytes += ",".utf8
        if !session.scope.values.isEmpty { bytes += #""scope":"\#(session.scope)","#.utf8 }
        if session.isThirdParty { bytes += Self.thirdParty.utf8 }
        bytes += #""jti":""#.utf8
        bytes += tokenID(at: now).utf8
        bytes += "\"}".utf8
        return bytes
    }

    /// What tells an API of the app's that a token is not one of the app's own: `aud` is the app whoever the client is.
    static let thirdParty = #""party":"\#(ClientParty.third.rawValue)","#

    /// Words that stand in JSON as they are, in quotes with commas between.
    private static func append(_ words: [String], to bytes: inout [UInt8]) {
        for (position, word) in words.enumerated() {
            bytes += position == 0 ? "\"".utf8 : ",\"".utf8
            bytes += word.utf8
            bytes += "\"".utf8
        }
    }

    /// What no other token is called by (RFC 7519, section 4.1.7): the microsecond and 64 bits of chance.
    ///
    /// It is no secret, and each further 64 bits would be a system call, a tenth of all that is beside the signature.
    /// Numbers of base 36 are short enough to be written without memory of their own.
    func tokenID(at now: Instant) -> String {
        let chance = random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return "\(String(now.microseconds, radix: 36))-\(String(chance, radix: 36))"
    }
}
