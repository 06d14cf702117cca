import GatepostDelivery
import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends a user a notice: a mail without a link, to the address that was the user's at the change.
package struct UserNoticeHandler: Handler {
    private let notice: UserNotice
    private let database: Database
    private let post: MailPost

    /// Wires the handler for one notice.
    package init(_ notice: UserNotice, database: Database, post: MailPost) {
        (self.notice, self.database, self.post) = (notice, database, post)
    }

    /// One handler for each notice.
    package static func all(database: Database, post: MailPost) -> [MessageKind: any Handler] {
        UserNotice.allCases.reduce(into: [:]) { handlers, notice in
            handlers[notice.kind] = UserNoticeHandler(notice, database: database, post: post)
        }
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let id = message.userID else { return .ended(.obsolete, reason: "user_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let user = try await database.batch(in: app.scope) { $0.userForMail(id) }
            guard let user, let address = EmailAddress(user.email) else {
                return .ended(.obsolete, reason: "user_missing")
            }
            guard !user.isDeactivated else { return .ended(.obsolete, reason: "user_deactivated") }
            // An address that came later is another's, perhaps the thief's; the old one was told of that change.
            guard let provenAt = user.verifiedAt, provenAt <= message.createdAt else {
                return .ended(.obsolete, reason: "address_changed")
            }
            let values = ["when": message.createdAt.minuteText, "provider": UserNotice.provider(in: message) ?? ""]
            return await post.send(
                notice.template, values, to: address, in: [user.locale], of: app, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}

extension UserNotice {
    fileprivate var template: MailTemplates.Name {
        switch self {
        case .passwordChanged: .passwordChanged
        case .identityLinked: .identityLinked
        case .identityUnlinked: .identityUnlinked
        }
    }
}
