import GatepostAPI
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore

extension DevMails {
    /// How many captured mails of an app the page shows.
    private static let capturedMax = 50

    /// The mails of a catcher, and those that apps in capture mode have kept from being sent, newest first.
    init(_ catcher: MailCatcher, captured: CapturedMailFlow) {
        self.init {
            let caught = await catcher.mails().sorted { $0.receivedAtOrder > $1.receivedAtOrder }.map(DevMail.init)
            let kept = (try? await captured.newestOfAllApps(limit: Self.capturedMax)) ?? []
            guard !kept.isEmpty else { return caught }
            // Stable: of one second, what the catcher has in order stays so.
            return (caught + kept.map(DevMail.init)).enumerated()
                .sorted { ($1.element.date, $0.offset) < ($0.element.date, $1.offset) }.map(\.element)
        }
    }
}

extension DevMail {
    fileprivate init(_ mail: CaughtMail) {
        self.init(
            id: mail.id, from: mail.from, to: mail.to, subject: mail.subject,
            date: Instant(seconds: mail.sentAtUnixSeconds ?? 0), text: mail.text, html: mail.html, raw: mail.raw)
    }

    fileprivate init(_ opened: CapturedMailFlow.Opened) {
        self.init(
            id: opened.mail.id.description, from: opened.content.from, to: [opened.mail.recipient],
            subject: "[captured] \(opened.content.subject)", date: Instant(seconds: opened.mail.capturedAt.seconds),
            text: opened.content.text, html: opened.content.html, raw: opened.content.raw)
    }
}
