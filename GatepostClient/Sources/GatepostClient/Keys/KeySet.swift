import Foundation
import JWTKit

/// An app's public keys, by their ids; those that sign its access tokens.
struct KeySet: Sendable {
    /// The most keys that are looked at: Gatepost publishes three of a kind, one that follows and one that retires.
    static let keysMax = 50

    /// No key set, and why.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    private let keys: [String: ES256PublicKey]

    /// The ids of all of them.
    var ids: some Collection<String> { keys.keys }

    /// The key of an id.
    subscript(id: String) -> ES256PublicKey? { keys[id] }

    private struct Document: Decodable {
        let keys: [Member]

        struct Member: Decodable {
            let kty: String?
            let kid: String?
            let use: String?
            let alg: String?
            let crv: String?
            let x: String?
            let y: String?
        }
    }

    /// Reads a document; what is no key for ES256 is passed over, so that others may stand beside.
    ///
    /// A set without any such key is one, too: then every token is refused.
    init(_ bytes: [UInt8]) throws(Unreadable) {
        guard bytes.count <= FetchedKeySet.bytesMax else { throw Unreadable(description: "the key set is too long") }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            throw Unreadable(description: "the answer is no key set")
        }
        guard document.keys.count <= Self.keysMax else { throw Unreadable(description: "too many keys") }
        var keys: [String: ES256PublicKey] = [:]
        for member in document.keys {
            guard let id = member.kid, member.kty == "EC", member.crv == "P-256", member.alg ?? "ES256" == "ES256",
                member.use ?? "sig" == "sig", let x = member.x, let y = member.y,
                let key = try? ES256PublicKey(parameters: (x: x, y: y))
            else { continue }
            guard keys[id] == nil else { throw Unreadable(description: "two keys have the same id") }
            keys[id] = key
        }
        self.keys = keys
    }
}
