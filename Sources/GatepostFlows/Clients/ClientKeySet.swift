import Crypto
import FoundationEssentials
import GatepostModel

/// The public keys of a client that proves itself by signing (RFC 7517), checked when they are registered.
///
/// Two algorithms and no others: ES256, and RS256 with at least 2048 bits (RFC 7518, section 3.3).
package struct ClientKeySet: Sendable {
    /// The most keys of a client: one in use, one that follows, and some to spare.
    package static let keysMax = 10
    /// The bits that an RSA key may have.
    package static let rsaBits = 2048...8192

    /// A key as somebody registers it.
    package struct Member: Codable, Sendable {
        package let kty: String
        package let kid: String?
        package let use: String?
        package let alg: String?
        package let crv: String?
        package let x: String?
        package let y: String?
        package let n: String?
        package let e: String?
        /// The private half, by which a set that should never have been sent is told.
        package let d: String?
    }

    private struct Document: Codable {
        let keys: [Member]
    }

    /// The set as the row keeps it.
    package let json: String

    /// Takes keys; nil for none, too many, two of one id, and for whatever is no public key of these algorithms.
    package init?(_ members: [Member]) {
        let ids = members.compactMap(\.kid)
        guard (1...Self.keysMax).contains(members.count), members.allSatisfy(Self.isUsable),
            Set(ids).count == ids.count, ids.count == members.count || members.count == 1
        else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(Document(keys: members)) else { return nil }
        self.json = String(decoding: json, as: UTF8.self)
    }

    private static func isUsable(_ key: Member) -> Bool {
        guard key.d == nil, key.use ?? "sig" == "sig", key.kid.map({ (1...255).contains($0.utf8.count) }) ?? true else {
            return false
        }
        switch key.kty {
        case "EC":
            guard key.alg ?? "ES256" == "ES256", key.crv == "P-256",
                let x = key.x.flatMap({ Base64URL.decode($0.utf8) }),
                let y = key.y.flatMap({ Base64URL.decode($0.utf8) }), x.count == 32, y.count == 32
            else { return false }
            return (try? P256.Signing.PublicKey(x963Representation: [4] + x + y)) != nil
        case "RSA":
            guard key.alg ?? "RS256" == "RS256", let modulus = key.n.flatMap({ Base64URL.decode($0.utf8) }),
                let exponent = key.e.flatMap({ Base64URL.decode($0.utf8) })
            else { return false }
            // 65537 is what everybody has; small exponents are where attacks on RSA begin.
            return rsaBits.contains(bits(of: modulus)) && exponent == [1, 0, 1]
        default: return false
        }
    }

    private static func bits(of number: [UInt8]) -> Int {
        let digits = number.drop { $0 == 0 }
        return digits.first.map { digits.count * 8 - $0.leadingZeroBitCount } ?? 0
    }
}
