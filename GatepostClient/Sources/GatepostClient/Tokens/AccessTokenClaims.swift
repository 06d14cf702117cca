import Foundation
import JWTKit

/// The claims of an access token (RFC 9068, section 2.2), by their names in it.
struct AccessTokenClaims: JWTPayload {
    let iss: String
    let sub: String
    let aud: Audience
    let client_id: String
    let app_id: String
    let jti: String
    let iat: Int64
    let exp: Int64
    let sid: String?
    let auth_time: Int64?
    let amr: [String]?
    let scope: String?
    let roles: [String]?
    let permissions: [String]?
    /// Whose the client is; nil for one of the app's own.
    let party: String?

    /// A word that is not known is no word of the app's own.
    var isThirdParty: Bool { party != nil && party != "first_party" }

    /// All that depends on the time and on the configuration is compared by the verifier, with its own clock.
    func verify(using algorithm: some JWTAlgorithm) throws {}

    /// One name, or a list of them (RFC 7519, section 4.1.3).
    struct Audience: Codable, Sendable {
        let names: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            names = try (try? container.decode(String.self)).map { [$0] } ?? container.decode([String].self)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(names)
        }
    }
}

/// The header of a token, as far as it decides anything; what it says of where keys are is nowhere read.
struct TokenHeader: Decodable {
    let alg: String?
    let kid: String?
    let typ: String?
    /// Extensions that must be understood (RFC 7515, section 4.1.11): there are none.
    let isExtended: Bool

    private enum CodingKeys: String, CodingKey {
        case alg, kid, typ, crit
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        alg = try container.decodeIfPresent(String.self, forKey: .alg)
        kid = try container.decodeIfPresent(String.self, forKey: .kid)
        typ = try container.decodeIfPresent(String.self, forKey: .typ)
        isExtended = container.contains(.crit)
    }
}
