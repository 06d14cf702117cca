import FoundationEssentials
package import GatepostModel

/// `mail.audit_export_ready`: tells the admin who asked that an export's file can be fetched, with a link for one use.
///
/// Owed in the built-in app's scope, whose user the admin is: so it is cancelled with the rest of their mail when they
/// are deactivated. The payload names the export and its app, which the handler asks in that app's own scope.
package struct AuditExportReadyMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.audit_export_ready")

    /// The download, whose secret is derived when the mail is sent.
    package let flow: FlowID
    package let user: UserID
    /// The app whose audit trail it is.
    package let app: AppID
    package let export: AuditExportID

    /// States what is told to whom.
    package init(flow: FlowID, user: UserID, app: AppID, export: AuditExportID) {
        (self.flow, self.user, self.app, self.export) = (flow, user, app, export)
    }

    private struct Payload: Decodable {
        let app: AppID
        let export: AuditExportID
    }

    /// Reads a claimed message; nil if it is not whole.
    package init?(_ message: ClaimedMessage) {
        guard let flow = message.flowID, let user = message.userID,
            let payload = try? JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8))
        else { return nil }
        self.init(flow: flow, user: user, app: payload.app, export: payload.export)
    }

    /// The message, in the built-in app's scope.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - recipientHash: The keyed hash of the address, for the ledger.
    ///   - now: When it is owed.
    ///   - expiresAt: The end of the link less `Lifetimes.mailMargin`.
    /// - Returns: What is owed.
    package func message(
        id: MessageID, recipientHash: [UInt8]?, at now: Instant, expiresAt: Instant
    ) -> OutboxMessage {
        var message = OutboxMessage(
            id: id, kind: Self.kind, lane: .notice, route: OutboxMessage.mailRoute, createdAt: now,
            expiresAt: expiresAt)
        (message.flowID, message.userID, message.recipientHash) = (flow, user, recipientHash)
        message.payload = #"{"app":"\#(app)","export":"\#(export)"}"#
        return message
    }
}
