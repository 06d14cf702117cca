package import GatepostModel

/// `mail.account_exists`: tells the owner of an address that somebody tried to sign up with it again.
///
/// The answer to the sign-up is the same as for a new address, so only the owner of the mailbox learns of it.
package struct AccountExistsMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.account_exists")
    /// The unique key's beginning; the user's uuid follows.
    static let uniqueKeyPrefix = "account_exists "

    /// Whose mailbox is told; the address is read when the mail is sent.
    package let user: UserID

    /// Reads a claimed message; nil if it names no user.
    package init?(_ message: ClaimedMessage) {
        guard let user = message.userID else { return nil }
        self.user = user
    }
}
