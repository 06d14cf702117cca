import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends `mail.verification`: the link and the code that prove an address.
///
/// Both are derived here, from the epoch in the flow's row; no queue, log or dump has held them. A retry carries the
/// same ones.
package struct VerificationMailHandler: Handler {
    private let database: Database
    private let clock: any WallClock
    private let keys: KeyRing
    private let post: MailPost

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, keys: KeyRing, post: MailPost) {
        (self.database, self.clock, self.keys, self.post) = (database, clock, keys, post)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = VerificationMail(message) else { return .ended(.obsolete, reason: "flow_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let flow = try await database.batch(in: app.scope) { $0.flowForMail(mail.flow) }
            switch addressee(of: mail.flow, flow, in: message.app) {
            case .obsolete(let reason):
                return .ended(.obsolete, reason: reason)
            case .person(let address, let secrets):
                let values = [
                    "link": post.link(secrets.linkToken, in: message.app), "code": secrets.code.revealed,
                    "hours": "\(Lifetimes.verification.wholeSeconds / 3600)",
                ]
                return await post.send(
                    .verification, values, to: address, of: app, as: message, deadline: deadline)
            }
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }

    private enum Addressee {
        case person(EmailAddress, FlowSecrets)
        case obsolete(String)
    }

    private func addressee(of id: FlowID, _ flow: FlowForMail?, in app: AppID) -> Addressee {
        guard let flow else { return .obsolete("flow_missing") }
        guard flow.kind == .signUp else { return .obsolete("flow_of_another_kind") }
        guard flow.state == "pending" else { return .obsolete("flow_\(flow.state)") }
        guard flow.expiresAt > clock.now else { return .obsolete("flow_expired") }
        guard let user = flow.user else { return .obsolete("user_missing") }
        guard !user.isDeactivated else { return .obsolete("user_deactivated") }
        guard !user.isVerified else { return .obsolete("address_verified") }
        guard user.emailCanonical == flow.email, let address = EmailAddress(user.email) else {
            return .obsolete("address_changed")
        }
        guard user.authEpoch == flow.authEpoch else { return .obsolete("auth_epoch_raised") }
        guard let secrets = FlowSecrets(app: app, flow: id, kind: .signUp, epoch: flow.secretEpoch, keys: keys) else {
            return .obsolete("secret_epoch_retired")
        }
        return .person(address, secrets)
    }
}
