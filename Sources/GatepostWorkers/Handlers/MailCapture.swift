import GatepostDelivery
package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Keeps the mails of apps in capture mode, which are never sent, so that their tests can read them.
package struct MailCapture: Sendable {
    /// Why a captured mail ended, as the ledger says beside `suppressed`.
    package static let reason = "captured"

    private let database: Database
    private let clock: any WallClock
    private let keys: KeyRing

    /// Wires it.
    package init(database: Database, clock: any WallClock, keys: KeyRing) {
        (self.database, self.clock, self.keys) = (database, clock, keys)
    }

    /// Keeps a mail; a message that is handled twice is kept once.
    func keep(_ mail: MailMessage, as message: ClaimedMessage, in scope: AppScope) async -> HandlerResult {
        let content = CapturedContent(
            from: mail.from.address.ascii, subject: mail.content.subject, text: mail.content.text,
            html: mail.content.html, raw: String(decoding: mail.bytes, as: UTF8.self))
        do {
            let new = NewCapturedMail(
                id: message.id, kind: message.kind.rawValue, userID: message.userID, flowID: message.flowID,
                recipient: mail.to, contentSealed: try content.sealed(of: message.id, in: scope.appID, keys: keys))
            let now = clock.now
            try await database.batch(in: scope) { $0.insertCapturedMail(new, at: now) }
            return .ended(.suppressed, reason: Self.reason)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}
