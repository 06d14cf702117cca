import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends `mail.audit_export_ready`: an export's file can be fetched, by the link in this mail or the admin API.
///
/// The link is derived here. Whether its reader may still have the file is asked now, and again when it is used.
package struct AuditExportReadyMailHandler: Handler {
    private let database: Database
    private let clock: any WallClock
    private let keys: KeyRing
    private let post: MailPost

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, keys: KeyRing, post: MailPost) {
        (self.database, self.clock, self.keys, self.post) = (database, clock, keys, post)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = AuditExportReadyMail(message) else { return .ended(.obsolete, reason: "flow_missing") }
        do {
            guard let admins = try await database.app(message.app), let app = try await database.app(mail.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            let (flow, grants) = try await database.batch(in: admins.scope) { batch in
                batch.flowForMail(mail.flow).and(batch.adminGrants(of: mail.user))
            }
            let address: EmailAddress
            let secrets: FlowSecrets
            switch addressee(of: mail, flow) {
            case .obsolete(let reason): return .ended(.obsolete, reason: reason)
            case .person(let found, let derived): (address, secrets) = (found, derived)
            }
            guard grants.contains(where: { $0.allows(.auditExport, in: mail.app) }) else {
                return .ended(.obsolete, reason: "permission_revoked")
            }
            let export = try await database.batch(in: app.scope) { $0.auditExport(mail.export, at: clock.now) }
            guard let export, export.state == .finished else { return .ended(.obsolete, reason: "export_missing") }
            let values = [
                "exported": app.name, "link": post.link(secrets.linkToken, in: message.app),
                "hours": "\(Lifetimes.auditExportLink.wholeSeconds / 3600)", "rows": "\(export.rowCount)",
                "format": export.format.rawValue, "export": "\(export.id)", "expires": minute(export.expiresAt),
            ]
            return await post.send(
                .auditExportReady, values, to: address, of: admins, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }

    private enum Addressee {
        case person(EmailAddress, FlowSecrets)
        case obsolete(String)
    }

    private func addressee(of mail: AuditExportReadyMail, _ flow: FlowForMail?) -> Addressee {
        guard let flow else { return .obsolete("flow_missing") }
        guard flow.kind == .auditExportDownload else { return .obsolete("flow_of_another_kind") }
        guard flow.state == "pending" else { return .obsolete("flow_\(flow.state)") }
        guard flow.expiresAt > clock.now else { return .obsolete("flow_expired") }
        guard let user = flow.user else { return .obsolete("user_missing") }
        guard !user.isDeactivated else { return .obsolete("user_deactivated") }
        guard user.emailCanonical == flow.email, let address = EmailAddress(user.email) else {
            return .obsolete("address_changed")
        }
        guard user.authEpoch == flow.authEpoch else { return .obsolete("auth_epoch_raised") }
        let secrets = FlowSecrets(
            app: .gatepost, flow: mail.flow, kind: .auditExportDownload, epoch: flow.secretEpoch, keys: keys)
        guard let secrets else { return .obsolete("secret_epoch_retired") }
        return .person(address, secrets)
    }

    /// A moment for a person: `2026-03-09 09:00 UTC`.
    private func minute(_ moment: Instant) -> String {
        moment.description.prefix(16).replacing("T", with: " ") + " UTC"
    }
}
