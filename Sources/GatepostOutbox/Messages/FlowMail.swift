package import GatepostModel

/// The mails that are about a flow and carry its link and its code, derived when they are sent.
///
/// The payload is empty, the flow says all. Several of a kind for one user merge into one that carries the newest
/// flow: an older flow is superseded, and its mail would end as obsolete.
package enum FlowMail: String, Sendable, CaseIterable {
    /// `mail.email_sign_in`: signs in by a link or a code.
    case emailSignIn = "email_sign_in"
    /// `mail.password_reset`: replaces a forgotten password.
    case passwordReset = "password_reset"
    /// `mail.email_change`: proves a new address, to which it goes.
    case emailChange = "email_change"
    /// `mail.email_changed`: tells the old address, to which it goes, and takes the change back.
    case emailChanged = "email_changed"

    /// The message's kind.
    package var kind: MessageKind { MessageKind(rawValue: "mail.\(rawValue)") }

    /// What the flow is for.
    package var flowKind: FlowKind {
        switch self {
        case .emailSignIn: .emailSignIn
        case .passwordReset: .passwordReset
        case .emailChange: .emailChange
        case .emailChanged: .emailChangeUndo
        }
    }

    /// A person waits for it in front of a screen, or it tells of something done.
    var lane: Lane { self == .emailChanged ? .notice : .interactive }
}
