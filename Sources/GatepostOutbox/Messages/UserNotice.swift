import FoundationEssentials

/// A mail that tells a user what was changed about their account, without a link: each change may be a stranger's.
///
/// Each is owed by itself, and none takes the place of another.
package enum UserNotice: String, CaseIterable, Sendable {
    /// The password was changed, or reset, or replaced by an undoing.
    case passwordChanged = "mail.password_changed"
    /// A provider signs the user in from now on.
    case identityLinked = "mail.identity_linked"
    /// A provider no longer signs the user in.
    case identityUnlinked = "mail.identity_unlinked"
    /// The second factor was set up, used in an emergency, or taken away.
    case factorChanged = "mail.factor_changed"

    /// What a notice says beside what has happened.
    package struct Detail: Codable, Sendable {
        /// The name of the provider whose identity it is about.
        package let provider: String?
        /// What became of the second factor.
        package let change: FactorChange?
    }

    /// The kind of its messages.
    package var kind: MessageKind { MessageKind(rawValue: rawValue) }

    /// What a message says; nil for one that this version cannot read.
    package static func detail(in message: ClaimedMessage) -> Detail? {
        try? JSONDecoder().decode(Detail.self, from: Data(message.payload.utf8))
    }
}

/// What became of a user's second factor, as a notice tells it.
package enum FactorChange: String, Codable, Sendable, CaseIterable {
    case enrolled
    case removed
    /// An admin has taken it away.
    case reset
    case recoveryCodeUsed = "recovery_code_used"
    case recoveryCodesReplaced = "recovery_codes_replaced"
}
