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
            let locales: [String?]
            switch MailAddressee(of: flow, mail.flow, .auditExportDownload, in: .gatepost, keys: keys, at: clock.now) {
            case .obsolete(let reason): return .ended(.obsolete, reason: reason)
            case .person(let found, let derived, let languages):
                (address, secrets, locales) = (found, derived, languages)
            }
            guard grants.contains(where: { $0.allows(.auditExport, in: mail.app) }) else {
                return .ended(.obsolete, reason: "permission_revoked")
            }
            let export = try await database.batch(in: app.scope) { $0.auditExport(mail.export, at: clock.now) }
            guard let export, export.state == .finished else { return .ended(.obsolete, reason: "export_missing") }
            let values = [
                "exported": app.name, "link": post.link(secrets.linkToken, in: message.app),
                "hours": "\(Lifetimes.auditExportLink.wholeSeconds / 3600)", "rows": "\(export.rowCount)",
                "format": export.format.rawValue, "export": "\(export.id)", "expires": export.expiresAt.minuteText,
            ]
            return await post.send(
                .auditExportReady, values, to: address, in: locales, of: admins, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}
