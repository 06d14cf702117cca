import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends `mail.admin_invitation`: the link by which somebody becomes an admin, derived here.
package struct AdminInvitationMailHandler: Handler {
    private let database: Database
    private let clock: any WallClock
    private let keys: KeyRing
    private let post: MailPost

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, keys: KeyRing, post: MailPost) {
        (self.database, self.clock, self.keys, self.post) = (database, clock, keys, post)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = AdminInvitationMail(message) else { return .ended(.obsolete, reason: "flow_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let (flow, invitation) = try await database.batch(in: app.scope) { batch in
                let flow = batch.flowForMail(mail.flow)
                return flow.and(batch.adminInvitation(mail.flow))
            }
            switch MailAddressee(of: flow, mail.flow, .adminInvitation, in: message.app, keys: keys, at: clock.now) {
            case .obsolete(let reason):
                return .ended(.obsolete, reason: reason)
            case .person(let address, let secrets, let locales):
                guard let grant = invitation?.grant else { return .ended(.obsolete, reason: "invitation_missing") }
                var values = [
                    "link": post.link(secrets.linkToken, in: message.app), "role": grant.role.rawValue,
                    "days": "\(Lifetimes.adminInvitation.wholeSeconds / 86400)",
                ]
                // Without it, the mail says all apps in its own language.
                if let place = grant.app { values["where"] = try await name(of: place) }
                return await post.send(
                    .adminInvitation, values, to: address, in: locales, of: app, as: message, deadline: deadline)
            }
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }

    private func name(of app: AppID) async throws -> String {
        try await database.app(app)?.name ?? app.description
    }
}
