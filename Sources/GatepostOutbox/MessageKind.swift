/// What kind of message something owed is; each kind has one handler.
///
/// Not an enum: while a new version is rolled out, an older worker may claim a kind that it does not know, and has
/// to hand it back unharmed.
package struct MessageKind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name in the table, dotted `snake_case`, noun first.
    package let rawValue: String

    /// Names a kind as the table does.
    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { rawValue }

    /// Every kind that this version knows.
    package static let known: [MessageKind] =
        [
            VerificationMail.kind, AccountExistsMail.kind, SigningKeyRotation.kind, WebhookNotice.kind,
            AuditExportPart.kind, AuditExportReadyMail.kind, AdminInvitationMail.kind,
            PartitionUpkeep.kind, FactorMail.kind,
        ]
        + FlowMail.allCases.map(\.kind) + UserNotice.allCases.map(\.kind)
}
