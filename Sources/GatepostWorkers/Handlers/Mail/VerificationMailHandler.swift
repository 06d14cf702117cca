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
    private let flows: GatheredReads<AppScope, FlowID, FlowForMail>

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, keys: KeyRing, post: MailPost) {
        (self.database, self.clock, self.keys, self.post) = (database, clock, keys, post)
        flows = GatheredReads { scope, ids in try await database.batch(in: scope) { $0.flowsForMail(ids) } }
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let mail = VerificationMail(message) else { return .ended(.obsolete, reason: "flow_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let flow = try await flows.value(of: mail.flow, in: app.scope)
            switch MailAddressee(of: flow, mail.flow, .signUp, in: message.app, keys: keys, at: clock.now) {
            case .obsolete(let reason):
                return .ended(.obsolete, reason: reason)
            case .person(let address, let secrets, let locales):
                guard flow?.user?.isVerified != true else { return .ended(.obsolete, reason: "address_verified") }
                let values = [
                    "link": post.link(secrets.linkToken, in: message.app), "code": secrets.code.revealed,
                    "hours": "\(Lifetimes.verification.wholeSeconds / 3600)",
                ]
                return await post.send(
                    .verification, values, to: address, in: locales, of: app, as: message, deadline: deadline)
            }
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}
