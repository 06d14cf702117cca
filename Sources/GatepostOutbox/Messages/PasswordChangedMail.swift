import FoundationEssentials
package import GatepostModel

/// `mail.password_changed`: tells a user that the password was changed, or reset, or replaced by an undoing.
package struct PasswordChangedMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.password_changed")

    private struct Payload: Codable {
        let recipient: String
    }

    /// Who is told; the address is read when the mail is sent.
    package let user: UserID
    /// The keyed hash of the address that was theirs at the change: another one that they have since is not told.
    package let recipientHash: [UInt8]

    /// Reads a claimed message; nil if it does not say whom it is for.
    package init?(_ message: ClaimedMessage) {
        guard let user = message.userID,
            let payload = try? JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8)),
            let recipientHash = Base64URL.decode(Array(payload.recipient.utf8))
        else { return nil }
        (self.user, self.recipientHash) = (user, recipientHash)
    }

    /// What is owed when a password was changed: a notice each time, since each change may be a stranger's.
    package static func message(
        id: MessageID, user: UserID, recipientHash: [UInt8], at now: Instant
    ) -> OutboxMessage {
        var message = OutboxMessage(
            id: id, kind: kind, lane: .notice, route: OutboxMessage.mailRoute, createdAt: now,
            expiresAt: now + Lifetimes.userNotice)
        (message.userID, message.recipientHash) = (user, recipientHash)
        message.payload = "{\"recipient\":\"\(Base64URL.encode(recipientHash))\"}"
        return message
    }
}
