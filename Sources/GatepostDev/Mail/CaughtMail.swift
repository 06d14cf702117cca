/// A received mail, read: what a page shows of it.
package struct CaughtMail: Sendable, Identifiable {
    /// Its place in the order of arrival, as text; digits only.
    package let id: String
    /// Its place in the order of arrival, from 1.
    package let receivedAtOrder: Int
    /// The header `From`, decoded; the sender of the envelope where there is none.
    package let from: String
    /// The recipients of the envelope: who really gets it.
    package let to: [String]
    /// The header `Subject`, decoded.
    package let subject: String
    /// The header `Date` in seconds since 1970; nil where there is none that can be read.
    package let sentAtUnixSeconds: Int64?
    /// The first part that is plain text; empty if there is none.
    package let text: String
    /// The first part that is HTML.
    package let html: String?
    /// The whole message as it came; bytes that are not UTF-8 are replaced.
    package let raw: String

    /// Reads a mail; what is not well-formed is shown as it is.
    package init(_ mail: ReceivedMail) {
        let message = MIMEPart(mail.bytes)
        let leaves = message.leaves()
        id = String(mail.order)
        receivedAtOrder = mail.order
        from = message.header("From").map(EncodedWords.decode) ?? mail.envelopeFrom
        to = mail.recipients
        subject = message.header("Subject").map(EncodedWords.decode) ?? ""
        sentAtUnixSeconds = message.header("Date").flatMap(MailDate.unixSeconds)
        text = leaves.first { $0.mediaType == "text/plain" }?.text ?? ""
        html = leaves.first { $0.mediaType == "text/html" }?.text
        raw = mail.text
    }
}
