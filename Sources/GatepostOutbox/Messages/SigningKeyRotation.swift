import FoundationEssentials
package import GatepostModel

/// `signing_key.rotate`: asks a worker to make the key that will follow an app's active one.
///
/// Owed by jobs/enqueue-key-rotations.sql, which decides that it is due.
package struct SigningKeyRotation: Sendable, Decodable {
    package static let kind = MessageKind(rawValue: "signing_key.rotate")

    /// The algorithm of the key to be made.
    package let algorithm: SigningAlgorithm

    /// Reads a claimed message; nil if its payload is not this kind's, or names an algorithm that is not known here.
    package init?(_ message: ClaimedMessage) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(message.payload.utf8)) else { return nil }
        self = read
    }
}
