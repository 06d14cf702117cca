import FoundationEssentials
import GatepostModel
import JWTKit

/// What an ID token says of somebody, once it holds.
package struct IDTokenClaims: Sendable, Equatable {
    let subject: String
    let email: String?
    let emailIsVerified: Bool
}

/// Checks an ID token against what was configured and what was asked (OpenID Connect Core, section 3.1.3.7).
///
/// The signature is verified by jwt-kit, with one key of one algorithm: which that is, is decided here, from the list
/// of algorithms and the kind of the published key, and never by the token alone (RFC 8725, section 3.1).
struct IDTokenCheck: Sendable {
    /// The longest token that is looked at, in bytes.
    static let tokenBytesMax = 16 * 1024
    /// How long ago a token may have been issued: it was asked for a moment ago.
    static let ageMax: Duration = .minutes(10)

    let issuer: String
    let clientID: String
    let nonce: String
    let now: Instant

    /// What the header says, read before anything is believed.
    struct Header: Sendable {
        let algorithm: IDTokenAlgorithm
        let keyID: String?
    }

    private struct RawHeader: Decodable {
        let alg: String
        let kid: String?
        let typ: String?
        let crit: [String]?
    }

    /// Reads a token's header; refuses `none`, HMACs, extensions that must be understood, and a token in disguise.
    static func header(of token: String) -> Result<Header, IDTokenFlaw> {
        guard token.utf8.count <= tokenBytesMax else { return .failure(.malformed) }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ Base64URL.decode($0) != nil }),
            let bytes = Base64URL.decode(parts[0]),
            let raw = try? JSONDecoder().decode(RawHeader.self, from: Data(bytes)), raw.crit == nil,
            raw.typ.map({ $0.uppercased() == "JWT" }) ?? true
        else { return .failure(.malformed) }
        guard let algorithm = IDTokenAlgorithm(rawValue: raw.alg) else { return .failure(.algorithm) }
        return .success(Header(algorithm: algorithm, keyID: raw.kid))
    }

    /// Checks a token whose header was read.
    func check(_ token: String, _ header: Header, keys: ProviderKeys) async -> Result<IDTokenClaims, IDTokenFlaw> {
        guard keys.knows(header.keyID) else { return .failure(.key) }
        let candidates = keys.candidates(id: header.keyID, header.algorithm)
        guard !candidates.isEmpty else { return .failure(.algorithm) }
        for key in candidates {
            if let payload = await Self.payload(of: token, header.algorithm, key, as: IDTokenPayload.self) {
                return claims(payload)
            }
        }
        return .failure(.signature)
    }

    /// The payload if the signature is this key's.
    static func payload<Payload: JWTPayload>(
        of token: String, _ algorithm: IDTokenAlgorithm, _ key: ProviderKeys.Key, as type: Payload.Type
    ) async -> Payload? {
        let collection = JWTKeyCollection()
        do {
            switch key.material {
            case .rsa(let modulus, let exponent):
                let key = try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
                switch algorithm {
                case .rs256: await collection.add(rsa: key, digestAlgorithm: .sha256)
                case .rs384: await collection.add(rsa: key, digestAlgorithm: .sha384)
                case .rs512: await collection.add(rsa: key, digestAlgorithm: .sha512)
                case .ps256: await collection.add(pss: key, digestAlgorithm: .sha256)
                case .es256, .es384: return nil
                }
            case .elliptic(let x, let y, _):
                switch algorithm {
                case .es256: await collection.add(ecdsa: try ES256PublicKey(parameters: (x: x, y: y)))
                case .es384: await collection.add(ecdsa: try ES384PublicKey(parameters: (x: x, y: y)))
                case .rs256, .rs384, .rs512, .ps256: return nil
                }
            }
            return try await collection.verify(token, as: type)
        } catch {
            return nil
        }
    }

    /// What a token with a good signature must say besides.
    private func claims(_ payload: IDTokenPayload) -> Result<IDTokenClaims, IDTokenFlaw> {
        let tolerance = Lifetimes.clockTolerance
        guard Array(payload.iss.utf8) == Array(issuer.utf8) else { return .failure(.issuer) }
        guard payload.aud.names.contains(clientID) else { return .failure(.audience) }
        // Several audiences: the token says whom it was issued to (section 3.1.3.7, 4 and 5).
        guard payload.azp.map({ $0 == clientID }) ?? (payload.aud.names.count == 1) else { return .failure(.party) }
        guard payload.exp.instant > now - tolerance else { return .failure(.expired) }
        guard payload.iat.instant < now + tolerance, payload.iat.instant > now - Self.ageMax - tolerance else {
            return .failure(.issuedAt)
        }
        if let notBefore = payload.nbf, notBefore.instant > now + tolerance { return .failure(.issuedAt) }
        guard let nonce = payload.nonce,
            constantTimeEqual(Array(nonce.utf8), Array(self.nonce.utf8))
        else { return .failure(.nonce) }
        guard (1...255).contains(payload.sub.utf8.count), !payload.sub.utf8.contains(0) else {
            return .failure(.subject)
        }
        return .success(
            IDTokenClaims(
                subject: payload.sub, email: payload.email, emailIsVerified: payload.email_verified?.isTrue ?? false))
    }
}

/// The claims that are read; their names are those of the specification.
private struct IDTokenPayload: JWTPayload {
    let iss: String
    let sub: String
    let aud: Audience
    let azp: String?
    let exp: Seconds
    let iat: Seconds
    let nbf: Seconds?
    let nonce: String?
    let email: String?
    let email_verified: Truth?

    /// All that depends on the time and on what was asked is checked with the flow's own moment.
    func verify(using algorithm: some JWTAlgorithm) throws {}

    /// One name, or a list of them.
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

    /// A moment in seconds, with a fraction or without (RFC 7519, section 2).
    struct Seconds: Codable, Sendable {
        let instant: Instant

        init(from decoder: any Decoder) throws {
            let number = try decoder.singleValueContainer().decode(Double.self)
            guard number > 0, number < 1e11 else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no date"))
            }
            instant = Instant(seconds: Int64(number))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(instant.seconds)
        }
    }

    /// True and false; Apple has written them as texts.
    struct Truth: Codable, Sendable {
        let isTrue: Bool

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            isTrue = try (try? container.decode(Bool.self)) ?? (container.decode(String.self) == "true")
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(isTrue)
        }
    }
}
