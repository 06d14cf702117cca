package import GatepostModel

/// A mail that the development mail catcher holds.
package struct DevMail: Sendable {
    /// Goes into the page's address, so it is of letters, digits, `-` and `_`.
    package let id: String
    package let from: String
    package let to: [String]
    package let subject: String
    package let date: Instant
    package let text: String
    package let html: String?
    /// As it came over the wire.
    package let raw: String

    /// Describes a mail.
    package init(
        id: String, from: String, to: [String], subject: String, date: Instant, text: String, html: String?,
        raw: String
    ) {
        (self.id, self.from, self.to, self.subject) = (id, from, to, subject)
        (self.date, self.text, self.html, self.raw) = (date, text, html, raw)
    }
}

/// Where the pages under `/dev/mails` get their mails: closures, since the catcher is in a module of its own.
package struct DevMails: Sendable {
    let list: @Sendable () async -> [DevMail]

    /// Takes the newest mails first.
    package init(list: @escaping @Sendable () async -> [DevMail]) {
        self.list = list
    }
}
