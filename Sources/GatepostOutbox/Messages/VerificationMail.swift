package import GatepostModel

/// `mail.verification`: asks whoever reads a mailbox to prove that an address is theirs.
///
/// The payload is empty, the flow says all. Several asked for in a row merge into one that carries the newest flow: an
/// older flow is superseded, and its mail would end as obsolete.
package struct VerificationMail: Sendable {
    package static let kind = MessageKind(rawValue: "mail.verification")
    /// The unique key's beginning; the user's uuid follows.
    static let uniqueKeyPrefix = "verification "

    /// Whose secrets the mail carries, derived when it is sent.
    package let flow: FlowID

    /// Reads a claimed message; nil if it names no flow.
    package init?(_ message: ClaimedMessage) {
        guard let flow = message.flowID else { return nil }
        self.flow = flow
    }
}
