/// A mail as it came over the wire.
package struct ReceivedMail: Sendable, Identifiable {
    /// The mail's place in the order of arrival at this server, from 1.
    package let order: Int
    /// The connection it came over, from 1: two mails with the same number shared a connection.
    package let connection: Int
    /// The path of `MAIL FROM` without its angle brackets; empty for the null sender.
    package let envelopeFrom: String
    /// The paths of `RCPT TO`, in order, without angle brackets.
    package let recipients: [String]
    /// The message with the dots of transparency taken out (RFC 5321, section 4.5.2) and CR LF after each line.
    package let bytes: [UInt8]
    /// Whether the body held a CR or an LF that was not part of a CR LF.
    ///
    /// Servers differ in what they make of it, which is how SMTP smuggling works: nothing that we send may hold one.
    package let hasBareLineBreak: Bool

    package var id: Int { order }

    /// The message as text; bytes that are not UTF-8 are replaced.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}
