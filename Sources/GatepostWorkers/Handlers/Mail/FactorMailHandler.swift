import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends `mail.factor_changed`: a notice without a link, to the address that was the user's at the change.
package struct FactorMailHandler: Handler {
    private let database: Database
    private let keys: KeyRing
    private let post: MailPost

    /// Wires the handler.
    package init(database: Database, keys: KeyRing, post: MailPost) {
        (self.database, self.keys, self.post) = (database, keys, post)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = FactorMail(message) else { return .ended(.obsolete, reason: "user_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let user = try await database.batch(in: app.scope) { $0.userForMail(mail.user) }
            guard let user, let address = EmailAddress(user.email) else {
                return .ended(.obsolete, reason: "user_missing")
            }
            guard !user.isDeactivated else { return .ended(.obsolete, reason: "user_deactivated") }
            guard keys.recipientHashes(address, in: message.app).contains(mail.recipientHash) else {
                return .ended(.obsolete, reason: "address_changed")
            }
            return await post.send(
                .factorChanged, ["when": message.createdAt.minuteText, mail.change.rawValue: "yes"], to: address,
                in: [user.locale], of: app, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}
