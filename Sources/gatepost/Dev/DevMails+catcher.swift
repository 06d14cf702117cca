import GatepostAPI
import GatepostDev
import GatepostModel

extension DevMails {
    /// The mails of a catcher, newest first.
    init(_ catcher: MailCatcher) {
        self.init {
            await catcher.mails().sorted { $0.receivedAtOrder > $1.receivedAtOrder }.map { mail in
                DevMail(
                    id: mail.id, from: mail.from, to: mail.to, subject: mail.subject,
                    date: Instant(seconds: mail.sentAtUnixSeconds ?? 0), text: mail.text, html: mail.html,
                    raw: mail.raw)
            }
        }
    }
}
