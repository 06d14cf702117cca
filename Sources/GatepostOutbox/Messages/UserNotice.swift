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

    private struct Payload: Codable {
        let provider: String?
    }

    /// The kind of its messages.
    package var kind: MessageKind { MessageKind(rawValue: rawValue) }

    /// The name of the provider that a notice is about; nil where it is about none.
    package static func provider(in message: ClaimedMessage) -> String? {
        (try? JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8)))?.provider
    }
}
