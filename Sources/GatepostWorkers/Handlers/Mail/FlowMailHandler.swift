import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Sends a mail about a flow, with its link and its code, which are derived here.
///
/// No queue, log or dump has held them. A retry carries the same ones.
package struct FlowMailHandler: Handler {
    private let mail: FlowMail
    private let database: Database
    private let clock: any WallClock
    private let keys: KeyRing
    private let post: MailPost
    private let flows: GatheredReads<AppScope, FlowID, FlowForMail>

    /// Wires the handler for one kind of mail.
    package init(_ mail: FlowMail, database: Database, clock: any WallClock, keys: KeyRing, post: MailPost) {
        (self.mail, self.database, self.clock) = (mail, database, clock)
        (self.keys, self.post) = (keys, post)
        flows = GatheredReads { scope, ids in try await database.batch(in: scope) { $0.flowsForMail(ids) } }
    }

    /// One handler for each of these mails.
    package static func all(
        database: Database, clock: any WallClock, keys: KeyRing, post: MailPost
    ) -> [MessageKind: any Handler] {
        var handlers: [MessageKind: any Handler] = [:]
        for mail in FlowMail.allCases {
            handlers[mail.kind] = FlowMailHandler(mail, database: database, clock: clock, keys: keys, post: post)
        }
        handlers[FactorMail.kind] = FactorMailHandler(database: database, keys: keys, post: post)
        return handlers
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let id = message.flowID else { return .ended(.obsolete, reason: "flow_missing") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let flow = try await flows.value(of: id, in: app.scope)
            switch MailAddressee(of: flow, id, mail.flowKind, in: message.app, keys: keys, at: clock.now) {
            case .obsolete(let reason):
                return .ended(.obsolete, reason: reason)
            case .person(let address, let secrets, let locales):
                let values = [
                    "link": post.link(secrets.linkToken, in: message.app), "code": secrets.code.revealed,
                    "when": message.createdAt.minuteText,
                ].merging(mail.lives) { $1 }
                return await post.send(
                    mail.template, values, to: address, in: locales, of: app, as: message, deadline: deadline)
            }
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}

extension FlowMail {
    fileprivate var template: MailTemplates.Name {
        switch self {
        case .emailSignIn: .emailSignIn
        case .passwordReset: .passwordReset
        case .emailChange: .emailChange
        case .emailChanged: .emailChanged
        }
    }

    /// How long the secrets live, in the unit that the mail names.
    fileprivate var lives: [String: String] {
        switch self {
        case .emailSignIn: ["minutes": "\(Lifetimes.emailSignIn.wholeSeconds / 60)"]
        case .passwordReset: ["minutes": "\(Lifetimes.passwordReset.wholeSeconds / 60)"]
        case .emailChange: ["hours": "\(Lifetimes.emailChange.wholeSeconds / 3600)"]
        case .emailChanged: ["days": "\(Lifetimes.emailChangeUndo.wholeSeconds / 86400)"]
        }
    }
}

extension Instant {
    /// For a person: `2026-03-09 09:00 UTC`.
    var minuteText: String { description.prefix(16).replacing("T", with: " ") + " UTC" }
}
