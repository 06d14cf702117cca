import Crypto
import FoundationEssentials
import GatepostModel
import JWTKit

/// A client's signed proof of who it is (RFC 7523, section 3, `private_key_jwt`), read but for its single use.
struct ClientAssertion: Sendable {
    /// The longest proof that is looked at, in bytes.
    static let bytesMax = 8 * 1024
    /// The algorithms that a proof may be signed with.
    static let algorithms: Set<IDTokenAlgorithm> = [.es256, .rs256]

    /// By which its one use is remembered.
    let jtiHash: [UInt8]
    /// When it is refused by itself.
    let expiresAt: Instant

    /// The client that a proof says it is of, before anything is believed; nil for what is no proof.
    static func claimedClient(_ proof: String) -> ClientID? {
        guard proof.utf8.count <= bytesMax else { return nil }
        let parts = proof.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64URL.decode(parts[1]),
            let named = try? JSONDecoder().decode(Named.self, from: Data(bytes))
        else { return nil }
        return ClientID(named.sub)
    }

    private struct Named: Decodable {
        let sub: String
    }

    /// Checks a proof against a client's registered keys; nil for one that does not hold.
    ///
    /// - Parameters:
    ///   - proof: The JWT as it came.
    ///   - client: Whose it must be.
    ///   - keySet: The client's keys as they were registered.
    ///   - audiences: What it may be made out to: the issuer, or the token endpoint.
    ///   - now: The moment.
    /// - Returns: What is left to do: to remember that it was used.
    static func check(
        _ proof: String, of client: ClientID, keySet: String, audiences: [String], at now: Instant
    ) async -> ClientAssertion? {
        guard case .success(let header) = IDTokenCheck.header(of: proof), algorithms.contains(header.algorithm),
            let keys = ProviderKeys.read(Array(keySet.utf8))
        else { return nil }
        for key in keys.candidates(id: header.keyID, header.algorithm) {
            if let claims = await IDTokenCheck.payload(of: proof, header.algorithm, key, as: Claims.self) {
                return assertion(claims, of: client, audiences: audiences, at: now)
            }
        }
        return nil
    }

    private static func assertion(
        _ claims: Claims, of client: ClientID, audiences: [String], at now: Instant
    ) -> ClientAssertion? {
        let tolerance = Lifetimes.clockTolerance.wholeSeconds
        guard claims.iss == client.description, claims.sub == client.description, audiences.contains(claims.aud.name),
            (1...255).contains(claims.jti.utf8.count),
            claims.exp > Double(now.seconds),
            claims.exp <= Double((now + Lifetimes.clientAssertionMax).seconds + tolerance),
            claims.iat ?? 0 <= Double(now.seconds + tolerance), claims.nbf ?? 0 <= Double(now.seconds + tolerance)
        else { return nil }
        return ClientAssertion(
            jtiHash: Array(SHA256.hash(data: Array(claims.jti.utf8))),
            expiresAt: Instant(seconds: Int64(claims.exp) + 1))
    }

    /// The claims that are read; their names are those of RFC 7519.
    private struct Claims: JWTPayload {
        let iss: String
        let sub: String
        let aud: Audience
        let jti: String
        let exp: Double
        let iat: Double?
        let nbf: Double?

        /// All that depends on the time is checked with the flow's own moment.
        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    /// Whom it is made out to: one name, alone or as a list of one.
    ///
    /// What is made out to others too, others can use.
    private struct Audience: Codable, Sendable {
        let name: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let names = try (try? container.decode(String.self)).map { [$0] } ?? container.decode([String].self)
            guard names.count == 1 else {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "several audiences"))
            }
            name = names[0]
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(name)
        }
    }
}
