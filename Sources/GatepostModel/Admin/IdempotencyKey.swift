import Crypto

/// A caller's own name for a write, so that a repeat acts once: `Idempotency-Key`.
///
/// Only hashes are kept. The key's hash covers route and principal, so that two callers may choose the same one; the
/// request's hash covers the whole request, so that a key that comes back with another request is refused.
package struct IdempotencyKey: Sendable, Hashable {
    /// The longest key, in characters; each is visible ASCII.
    package static let lengthMax = 255

    /// Of the key with its route and principal.
    package let keyHash: [UInt8]
    /// Of the whole request.
    package let requestHash: [UInt8]

    /// Takes a key as it was sent; nil for an empty or longer one, or another character.
    ///
    /// - Parameters:
    ///   - key: The header's value.
    ///   - route: Method and path as sent.
    ///   - principal: Who asks.
    ///   - body: The body's bytes as sent.
    package init?(_ key: String, route: String, principal: AdminPrincipal, body: [UInt8]) {
        guard (1...Self.lengthMax).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        let place = Array("\(route)\u{0}\(principal.text)\u{0}".utf8)
        keyHash = Array(SHA256.hash(data: place + Array(key.utf8)))
        requestHash = Array(SHA256.hash(data: place + body))
    }
}
