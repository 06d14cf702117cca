import FoundationEssentials
package import GatepostModel

/// What became of a user's second factor, as a notice tells it.
package enum FactorChange: String, Codable, Sendable, CaseIterable {
    case enrolled
    case removed
    /// An admin has taken it away.
    case reset
    case recoveryCodeUsed = "recovery_code_used"
    case recoveryCodesReplaced = "recovery_codes_replaced"
}

/// `mail.factor_changed`: tells a user what became of their second factor.
package struct FactorMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.factor_changed")

    private struct Payload: Codable {
        let recipient: String
        let change: FactorChange
    }

    /// Who is told; the address is read when the mail is sent.
    package let user: UserID
    package let change: FactorChange
    /// The keyed hash of the address that was theirs then: another one that they have since is not told.
    package let recipientHash: [UInt8]

    /// Reads a claimed message; nil if it does not say whom it is for.
    package init?(_ message: ClaimedMessage) {
        guard let user = message.userID,
            let payload = try? JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8)),
            let recipientHash = Base64URL.decode(Array(payload.recipient.utf8))
        else { return nil }
        (self.user, change, self.recipientHash) = (user, payload.change, recipientHash)
    }

    /// What is owed when a second factor was changed: a notice each time, since each change may be a stranger's.
    package static func message(
        id: MessageID, _ change: FactorChange, user: UserID, recipientHash: [UInt8], at now: Instant
    ) -> OutboxMessage {
        var message = OutboxMessage(
            id: id, kind: kind, lane: .notice, route: OutboxMessage.mailRoute, createdAt: now,
            expiresAt: now + Lifetimes.userNotice)
        (message.userID, message.recipientHash) = (user, recipientHash)
        message.payload = """
            {"recipient":"\(Base64URL.encode(recipientHash))","change":"\(change.rawValue)"}
            """
        return message
    }
}
