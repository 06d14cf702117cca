import GatepostDelivery
import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends `mail.account_exists`: somebody tried to sign up with an address that has an account.
package struct AccountExistsMailHandler: Handler {
    private let database: Database
    private let post: MailPost

    /// Wires the handler.
    package init(database: Database, post: MailPost) {
        (self.database, self.post) = (database, post)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = AccountExistsMail(message) else { return .ended(.obsolete, reason: "user_missing") }
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
            guard user.verifiedAt != nil else { return .ended(.obsolete, reason: "address_unverified") }
            return await post.send(
                .accountExists, [:], to: address, in: [user.locale], of: app, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}
