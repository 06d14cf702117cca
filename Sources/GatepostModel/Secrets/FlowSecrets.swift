import Crypto

/// What a flow is for; part of every secret and every look-up, so that no secret serves two purposes.
package enum FlowKind: String, Sendable, CaseIterable {
    /// An address is proved and, with it, the account is opened.
    case signUp = "sign_up"
    /// The file of an audit export is fetched by the link in a mail to an admin.
    case auditExportDownload = "audit_export_download"
    /// Somebody is asked to become an admin.
    case adminInvitation = "admin_invitation"
    /// A user signs in by a link or a code in a mail.
    case emailSignIn = "email_sign_in"
    /// A forgotten password is replaced.
    case passwordReset = "password_reset"
    /// A user's new address is proved before it replaces the old one.
    case emailChange = "email_change"
    /// Whoever reads the old address takes a change back.
    case emailChangeUndo = "email_change_undo"
}

/// The secrets that a mail carries: derived when they are needed, stored nowhere.
///
/// A queued mail must be sendable hours later by another process, yet a dump must not hold what it says. So
/// both the link's token and the typed code are HMACs over app, flow and purpose under a key derived from the
/// key ring; the flow's row says under which epoch. A retry and a resend carry the same secret.
package struct FlowSecrets: Sendable {
    /// Digits of a typed code: 26 bits, above the 20 that OWASP ASVS 6.5.4 asks for.
    package static let codeDigits = 8
    /// Tries at a typed code before its flow is refused.
    package static let codeAttemptsMax: Int32 = 5

    /// What goes into every derivation: the same flow in another app, or for another purpose, has other secrets.
    package let app: AppID
    package let flow: FlowID
    package let kind: FlowKind
    /// The key ring's epoch, which the flow's row keeps, so that its secrets outlive a rotation of the ring.
    package let epoch: Int16
    private let key: SymmetricKey

    /// Prepares to derive under the epoch of the flow's row; nil once that epoch has been retired.
    package init?(app: AppID, flow: FlowID, kind: FlowKind, epoch: Int16, keys: KeyRing) {
        guard let key = keys.derivedKey(for: "flow-secrets", epoch: epoch) else { return nil }
        (self.app, self.flow, self.kind, self.epoch, self.key) = (app, flow, kind, epoch, key)
    }

    /// Prepares to derive for a new flow, under the current epoch.
    package init(app: AppID, flow: FlowID, kind: FlowKind, keys: KeyRing) {
        let key = keys.currentDerivedKey(for: "flow-secrets")
        (self.app, self.flow, self.kind, self.epoch, self.key) = (app, flow, kind, keys.currentEpoch, key)
    }

    /// The token in the mail's link.
    package var linkToken: OneTimeToken {
        OneTimeToken(.link, bytes: derive("link"))
    }

    /// The code that a person types, eight digits.
    package var code: Secret {
        let number = derive("code").prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 100_000_000
        let digits = String(number)
        return Secret(String(repeating: "0", count: Self.codeDigits - digits.count) + digits)
    }

    /// The keyed hash of a typed code, which the flow keeps; spaces and hyphens in it do not count.
    ///
    /// Keyed, because eight digits under a plain hash are tried out in a moment.
    package func codeHash(_ typed: String) -> [UInt8] {
        let digits = typed.filter { $0 != " " && $0 != "-" }
        return derive("code-hash\u{0}\(digits)")
    }

    private func derive(_ purpose: String) -> [UInt8] {
        let message = app.uuid.bytes + flow.uuid.bytes + Array("\(kind.rawValue)\u{0}\(purpose)".utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
