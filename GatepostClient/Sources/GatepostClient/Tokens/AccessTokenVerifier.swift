import Foundation
import JWTKit

/// Verifies the access tokens of one app, without asking Gatepost for each.
///
/// One for the whole program: it keeps the keys. What is fixed is the algorithm, ES256; the token only says which of
/// the issuer's keys, and jwt-kit is given that one.
public struct AccessTokenVerifier: Sendable {
    /// By how many seconds two clocks may differ.
    public static let clockToleranceSeconds: Int64 = 30

    /// Whose tokens are taken.
    public let issuer: GatepostIssuer
    /// Whether tokens of clients of third parties are taken.
    public let acceptsThirdParties: Bool
    private let clock: any ClientClock
    private let keys: KeySetCache

    /// Prepares a verifier; the first token makes it fetch the keys.
    ///
    /// - Parameters:
    ///   - issuer: The app's issuer.
    ///   - acceptsThirdParties: Whether tokens of clients are taken that are somebody else's than the app's, their
    ///     users' and their own. Their audience is the app, as that of all tokens is, so whoever has one can send it
    ///     here. Say `true` only where the API is meant for third parties, and each route that they reach compares the
    ///     token's `scopes` with what it does.
    ///   - source: What fetches the keys.
    ///   - policy: How long they are kept.
    ///   - clock: The time.
    public init(
        issuer: GatepostIssuer, acceptsThirdParties: Bool = false, source: any KeySetSource = URLSessionKeySetSource(),
        policy: KeyPolicy = KeyPolicy(),
        clock: any ClientClock = SystemClock()
    ) {
        (self.issuer, self.acceptsThirdParties, self.clock) = (issuer, acceptsThirdParties, clock)
        keys = KeySetCache(url: issuer.keySetURL, source: source, policy: policy, clock: clock)
    }

    /// Verifies a token.
    ///
    /// Whatever can be seen without a key is looked at first, so that what is no token of this app's asks for none.
    ///
    /// - Parameter token: As it stands behind `Bearer`.
    /// - Returns: What it says.
    /// - Throws: `TokenRefusal` for a token that is not good; `KeysUnavailable` where that cannot be told now.
    public func verify(_ token: String) async throws -> AccessToken {
        guard let text = TokenText(token) else { throw TokenRefusal.malformed }
        let keyID = try Self.keyID(of: text)
        guard let claims = try? JSONDecoder().decode(AccessTokenClaims.self, from: Data(text.payload)) else {
            throw TokenRefusal.malformed
        }
        try check(claims)
        guard let key = try await keys.key(keyID, issuedAt: claims.iat) else { throw TokenRefusal.unknownKey(keyID) }
        // One collection with one key: nothing in the token chooses.
        let collection = await JWTKeyCollection().add(ecdsa: key)
        guard let signed = try? await collection.verify(token, as: AccessTokenClaims.self) else {
            throw TokenRefusal.badSignature
        }
        return AccessToken(signed, payload: text.payload)
    }

    /// The key that a token names; refuses other kinds of tokens and other algorithms (RFC 8725, section 3).
    private static func keyID(of text: TokenText) throws(TokenRefusal) -> String {
        guard let header = try? JSONDecoder().decode(TokenHeader.self, from: Data(text.header)) else {
            throw .malformed
        }
        guard header.alg == "ES256", !header.isExtended else { throw .wrongAlgorithm(header.alg ?? "") }
        guard let type = header.typ?.lowercased(), ["at+jwt", "application/at+jwt"].contains(type) else {
            throw .wrongType(header.typ ?? "")
        }
        guard let id = header.kid, (1...255).contains(id.utf8.count) else { throw .malformed }
        return id
    }

    private func check(_ claims: AccessTokenClaims) throws(TokenRefusal) {
        guard claims.iss.utf8.elementsEqual(issuer.text.utf8) else { throw .wrongIssuer(claims.iss) }
        guard claims.aud.names.contains(issuer.app) else { throw .wrongAudience }
        guard claims.app_id == issuer.app else { throw .wrongApp(claims.app_id) }
        guard acceptsThirdParties || !claims.isThirdParty else { throw .thirdParty }
        let now = clock.unixSeconds
        guard claims.exp > now - Self.clockToleranceSeconds else { throw .expired(at: claims.exp) }
        guard claims.iat <= now + Self.clockToleranceSeconds else { throw .notYetIssued(at: claims.iat) }
    }
}
