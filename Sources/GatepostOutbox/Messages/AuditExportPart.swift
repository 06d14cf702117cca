import FoundationEssentials
package import GatepostModel

/// `audit_export.part`: asks a worker to write the next part of an export's file, or to finish it.
///
/// Each owes the next one in the transaction of its part, so the chain cannot break and is never in two places.
package struct AuditExportPart: Sendable, Decodable {
    package static let kind = MessageKind(rawValue: "audit_export.part")

    /// Which one; how far it is stands in its row.
    package let export: AuditExportID

    /// Names the export.
    package init(of export: AuditExportID) {
        self.export = export
    }

    /// Reads a claimed message; nil if its payload is not this kind's.
    package init?(_ message: ClaimedMessage) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(message.payload.utf8)) else { return nil }
        self = read
    }

    /// The message, in the exported app's scope.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - now: When it is owed.
    ///   - expiresAt: The end of the export's life.
    /// - Returns: What is owed.
    package func message(id: MessageID, at now: Instant, expiresAt: Instant) -> OutboxMessage {
        var message = OutboxMessage(
            id: id, kind: Self.kind, lane: .bulk, route: OutboxMessage.localRoute, createdAt: now,
            expiresAt: expiresAt)
        message.payload = #"{"export":"\#(export)"}"#
        return message
    }
}
