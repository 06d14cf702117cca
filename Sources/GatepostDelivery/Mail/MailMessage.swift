package import GatepostModel

/// Who a mail comes from: a name that people read, and an address.
package struct MailSender: Sendable {
    package let name: String
    package let address: EmailAddress

    /// Names a sender.
    package init(name: String, address: EmailAddress) {
        (self.name, self.address) = (name, address)
    }
}

/// A finished mail: text and HTML, for one recipient.
///
/// The same message makes the same bytes each time, so a retry is the same mail: `Message-ID` and `Date` come
/// from the message that is owed, and the boundary from the `Message-ID`.
package struct MailMessage: Sendable {
    package let from: MailSender
    package let to: EmailAddress
    /// Without angle brackets, `msg_…@example.com`.
    package let messageID: String
    package let date: Instant
    package let content: MailContent

    /// Puts a mail together.
    ///
    /// - Parameters:
    ///   - from: The sender.
    ///   - to: The one recipient.
    ///   - messageID: The id of what is owed; the sender's domain is put behind it.
    ///   - date: When it became owed.
    ///   - content: What it says.
    package init(from: MailSender, to: EmailAddress, messageID: MessageID, date: Instant, content: MailContent) {
        (self.from, self.to, self.date, self.content) = (from, to, date, content)
        let domain = from.address.ascii.split(separator: "@").last ?? "localhost"
        self.messageID = "\(messageID)@\(domain)"
    }

    /// Header and body in canonical form: CR LF, seven bits, no line over 76 but for what cannot be folded.
    package var bytes: [UInt8] {
        // An equals sign and an underscore never meet in quoted-printable (RFC 2045, section 6.7).
        let boundary = "=_\(messageID.prefix { $0 != "@" }.suffix(20))"
        let headers: [MailHeader] = [
            .mailbox(name: "From", .init(text: from.name), from.address),
            .address(name: "To", to),
            .text(name: "Subject", content.subject),
            .token(name: "Date", MailDate.format(date)),
            .token(name: "Message-ID", "<\(messageID)>"),
            .token(name: "Auto-Submitted", "auto-generated"),
            .token(name: "MIME-Version", "1.0"),
            .token(name: "Content-Type", "multipart/alternative; boundary=\"\(boundary)\""),
        ]
        var bytes: [UInt8] = []
        for header in headers { bytes += Array(header.encoded.utf8) }
        bytes += Array("\r\n".utf8)
        append("text/plain", content.text, boundary, to: &bytes)
        append("text/html", content.html, boundary, to: &bytes)
        return bytes + Array("--\(boundary)--\r\n".utf8)
    }

    private func append(_ type: String, _ text: String, _ boundary: String, to bytes: inout [UInt8]) {
        let head =
            "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\n"
            + "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        bytes += Array(head.utf8)
        QuotedPrintable.encode(text, into: &bytes)
    }
}

/// What a mail says.
package struct MailContent: Sendable {
    package let subject: String
    package let text: String
    package let html: String

    /// Takes rendered texts.
    package init(subject: String, text: String, html: String) {
        (self.subject, self.text, self.html) = (subject, text, html)
    }
}

/// Dates as mails write them (RFC 5322, section 3.3).
enum MailDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func format(_ instant: Instant) -> String {
        let seconds = instant.seconds
        let date = CivilDate(daysSince1970: seconds / 86400)
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(days[Int(date.dayOfWeek)]), \(date.day) \(months[Int(date.month) - 1]) \(date.year) "
            + "\(time.joined(separator: ":")) +0000"
    }
}
