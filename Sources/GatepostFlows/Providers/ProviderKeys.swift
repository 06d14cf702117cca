import Crypto
import FoundationEssentials
import GatepostModel

/// A provider's published keys (RFC 7517), as far as they can verify an ID token.
///
/// A key that cannot be used is passed over: providers publish others beside theirs. An HMAC key (`oct`) is none of
/// them, so a public key is never taken for a shared secret.
package struct ProviderKeys: Sendable {
    /// The most keys that are looked at.
    static let keysMax = 50

    /// One public key and what it may verify.
    struct Key: Sendable, Equatable {
        enum Material: Sendable, Equatable {
            case rsa(modulus: String, exponent: String)
            case elliptic(x: String, y: String, curve: String)
        }

        let id: String?
        let material: Material
        /// The one algorithm that the key names; nil if it names none.
        let algorithm: String?

        /// Whether it verifies this algorithm: the kind of key decides, and what the key says of itself.
        func verifies(_ name: IDTokenAlgorithm) -> Bool {
            guard algorithm == nil || algorithm == name.rawValue else { return false }
            return switch material {
            case .rsa: name.isRSA
            case .elliptic(_, _, let curve): name.curve == curve
            }
        }
    }

    let keys: [Key]

    private struct Document: Decodable {
        let keys: [Member]

        struct Member: Decodable {
            let kty: String?
            let kid: String?
            let alg: String?
            let use: String?
            let key_ops: [String]?
            let crv: String?
            let n: String?
            let e: String?
            let x: String?
            let y: String?
        }
    }

    /// Reads a key set; nil for what is none.
    static func read(_ bytes: [UInt8]) -> ProviderKeys? {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else { return nil }
        return ProviderKeys(keys: document.keys.prefix(keysMax).compactMap(key))
    }

    private static func key(_ member: Document.Member) -> Key? {
        guard member.use == nil || member.use == "sig", member.key_ops?.contains("verify") ?? true else { return nil }
        switch member.kty {
        case "RSA":
            guard let n = member.n, let e = member.e, Base64URL.decode(n.utf8) != nil,
                Base64URL.decode(e.utf8) != nil
            else { return nil }
            return Key(id: member.kid, material: .rsa(modulus: n, exponent: e), algorithm: member.alg)
        case "EC":
            guard let x = member.x, let y = member.y, let curve = member.crv, Base64URL.decode(x.utf8) != nil,
                Base64URL.decode(y.utf8) != nil
            else { return nil }
            return Key(id: member.kid, material: .elliptic(x: x, y: y, curve: curve), algorithm: member.alg)
        default: return nil
        }
    }

    /// The keys that a token of this header may have been signed with: those of its id, or all where it names none.
    func candidates(id: String?, _ algorithm: IDTokenAlgorithm) -> [Key] {
        keys.filter { (id == nil || $0.id == id) && $0.verifies(algorithm) }
    }

    /// Whether a key of this id is published at all.
    func knows(_ id: String?) -> Bool { id == nil || keys.contains { $0.id == id } }
}

/// The algorithms that an ID token may be signed with; what is not in this list does not exist here.
enum IDTokenAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case es256 = "ES256"
    case es384 = "ES384"

    var isRSA: Bool { curve == nil }

    /// The curve that the algorithm is for (RFC 7518, section 3.4).
    var curve: String? {
        switch self {
        case .es256: "P-256"
        case .es384: "P-384"
        case .rs256, .rs384, .rs512, .ps256: nil
        }
    }
}
