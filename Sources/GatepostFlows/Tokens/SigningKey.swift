import Crypto
import CryptoExtras
import GatepostModel
import GatepostStore

/// The private half of a signing key, opened.
enum SigningKey: Sendable {
    case es256(P256.Signing.PrivateKey)
    case rs256(_RSA.Signing.PrivateKey)

    /// The signature as it stands in a token (RFC 7518, sections 3.3 and 3.4).
    func signature(for bytes: [UInt8]) throws -> [UInt8] {
        switch self {
        case .es256(let key): Array(try key.signature(for: bytes).rawRepresentation)
        // The padding is what RS256 means; PSS has other names.
        case .rs256(let key): Array(try key.signature(for: bytes, padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }
}

/// The public half of a signing key.
enum VerifyingKey: Sendable {
    case es256(P256.Signing.PublicKey)
    case rs256(_RSA.Signing.PublicKey)

    /// Reads what is stored.
    init(_ record: SigningKeyRecord) throws {
        self =
            switch record.algorithm {
            case .es256: .es256(try P256.Signing.PublicKey(x963Representation: record.publicKey))
            case .rs256: .rs256(try _RSA.Signing.PublicKey(derRepresentation: record.publicKey))
            }
    }

    /// Whether a signature, as it stands in a token, is by this key over these bytes.
    func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        switch self {
        case .es256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: bytes)
        case .rs256(let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: bytes, padding: .insecurePKCS1v1_5)
        }
    }

    /// The key as a member of a key set (RFC 7517; RFC 7518, sections 6.2 and 6.3), its public members only.
    func jwk(_ id: SigningKeyID) throws -> String {
        switch self {
        case .es256(let key):
            let point = key.rawRepresentation
            let (x, y) = (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.suffix(32)))
            return """
                {"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"\(id)","x":"\(x)","y":"\(y)"}
                """
        case .rs256(let key):
            let numbers = try key.getKeyPrimitives()
            let (n, e) = (Base64URL.encode(numbers.modulus), Base64URL.encode(numbers.publicExponent))
            return """
                {"kty":"RSA","use":"sig","alg":"RS256","kid":"\(id)","n":"\(n)","e":"\(e)"}
                """
        }
    }
}

/// What signs tokens of one kind: the key, and the header that they begin with.
struct TokenSigner: Sendable {
    /// In base 64.
    let header: [UInt8]
    let key: SigningKey

    init(header: String, key: SigningKey) {
        (self.header, self.key) = (Array(header.utf8), key)
    }
}
