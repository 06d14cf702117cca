import FoundationEssentials

/// `signing_key.rotate`: asks a worker to make the key that will follow an app's active one.
///
/// Owed by jobs/enqueue-key-rotations.sql, which decides that it is due.
package struct SigningKeyRotation: Sendable, Decodable {
    package static let kind = MessageKind(rawValue: "signing_key.rotate")

    /// The algorithm of the key to be made, as in `signing_keys.algorithm`.
    package let algorithm: String

    /// Reads a claimed message; nil if its payload is not this kind's.
    package init?(_ message: ClaimedMessage) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(message.payload.utf8)) else { return nil }
        self = read
    }
}
