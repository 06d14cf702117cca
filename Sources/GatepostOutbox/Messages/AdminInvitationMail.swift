package import GatepostModel

/// `mail.admin_invitation`: asks somebody to become an admin.
///
/// The payload is empty, the flow says all. Several for one person merge into one that carries the newest flow.
package struct AdminInvitationMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.admin_invitation")

    /// Whose secrets the mail carries, derived when it is sent.
    package let flow: FlowID

    /// Reads a claimed message; nil if it names no flow.
    package init?(_ message: ClaimedMessage) {
        guard let flow = message.flowID else { return nil }
        self.flow = flow
    }

    /// What is owed when somebody is invited.
    package static func message(
        id: MessageID, flow: FlowID, user: UserID, recipientHash: [UInt8], at now: Instant, expiresAt: Instant
    ) -> OutboxMessage {
        var message = OutboxMessage(
            id: id, kind: kind, lane: .interactive, route: OutboxMessage.mailRoute, createdAt: now,
            expiresAt: expiresAt)
        (message.flowID, message.userID, message.recipientHash) = (flow, user, recipientHash)
        message.uniqueKey = "admin_invitation \(user.uuid)"
        return message
    }
}
