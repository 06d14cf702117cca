public import Foundation

/// Fetches a key set; one over `URLSession` comes along, an app that has an HTTP client of its own may wrap that.
public protocol KeySetSource: Sendable {
    /// Fetches the document, once: the verifier decides when to ask again.
    ///
    /// - Parameter url: Where it is published. A redirect must not be followed, and no cache be asked.
    /// - Returns: The document.
    /// - Throws: Why there is none.
    func keySet(at url: URL) async throws -> FetchedKeySet
}

/// A key set as it came.
public struct FetchedKeySet: Sendable {
    /// The most bytes that a key set may have; a longer one is refused.
    public static let bytesMax = 64 * 1024

    /// JSON (RFC 7517).
    public let body: [UInt8]
    /// How old it was when it came: the `Age` of an answer out of a shared cache.
    public let age: Duration

    /// States what came.
    public init(body: [UInt8], age: Duration = .zero) {
        (self.body, self.age) = (body, age)
    }
}

/// Whether a token is good cannot be told now, because its keys cannot be had.
///
/// It is no refusal: ask again.
public struct KeysUnavailable: Error, Sendable, CustomStringConvertible {
    /// Why, for a log.
    public let reason: String
    /// When asking again makes sense.
    public let retryAfter: Duration

    public var description: String { "the keys of the issuer cannot be had: \(reason)" }
}
