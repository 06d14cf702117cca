import GatepostModel
import GatepostStore

/// Whom a mail about a flow goes to and with which secrets, as of the moment of sending: what such mails share.
///
/// Between owing and sending, the flow may have been used or superseded, the user deactivated, the address changed.
enum MailAddressee {
    /// Also in which languages to write, the best one first.
    case person(EmailAddress, FlowSecrets, [String?])
    /// The purpose is gone; the reason says what changed.
    case obsolete(String)

    /// Looks whether a mail's purpose still stands.
    ///
    /// - Parameters:
    ///   - flow: The flow with its user, just read.
    ///   - id: The flow that the message names.
    ///   - kind: What the flow must be for.
    ///   - app: The app whose flow it is.
    ///   - keys: What the secrets are derived from.
    ///   - now: The present time.
    init(of flow: FlowForMail?, _ id: FlowID, _ kind: FlowKind, in app: AppID, keys: KeyRing, at now: Instant) {
        guard let flow else { self = .obsolete("flow_missing"); return }
        if let reason = Self.flaw(of: flow, kind, at: now) {
            self = .obsolete(reason)
        } else if let address = (flow.emailEntered ?? flow.user?.email).flatMap(EmailAddress.init) {
            let secrets = FlowSecrets(app: app, flow: id, kind: kind, epoch: flow.secretEpoch, keys: keys)
            let locales = [flow.user?.locale, flow.locale]
            self = secrets.map { .person(address, $0, locales) } ?? .obsolete("secret_epoch_retired")
        } else {
            self = .obsolete("address_changed")
        }
    }

    private static func flaw(of flow: FlowForMail, _ kind: FlowKind, at now: Instant) -> String? {
        guard flow.kind == kind else { return "flow_of_another_kind" }
        guard flow.state == "pending" else { return "flow_\(flow.state)" }
        guard flow.expiresAt > now else { return "flow_expired" }
        guard let user = flow.user else { return "user_missing" }
        guard !user.isDeactivated else { return "user_deactivated" }
        // One undoes a change whatever else was changed since, as long as there is something to take back.
        if kind == .emailChangeUndo { return user.emailCanonical == flow.email ? "address_restored" : nil }
        guard user.emailCanonical == flow.email || kind == .emailChange else { return "address_changed" }
        return user.authEpoch == flow.authEpoch ? nil : "auth_epoch_raised"
    }
}
