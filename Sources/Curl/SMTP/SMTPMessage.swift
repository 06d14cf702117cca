/// One mail for one recipient, in a form that can go on the wire without doing harm.
///
/// libcurl 7.88 passes CR LF in an address on to the server, which makes a second command of it, and it does not
/// dot-stuff after a lone LF, which lets a body end the mail early on lenient servers (both measured). So a value
/// of this type cannot hold either.
package struct SMTPMessage: Sendable {
    /// Why a message was refused.
    ///
    /// The cases carry no text: addresses are personal data.
    package enum Flaw: Error, Hashable {
        case sender
        case recipient
        /// The body holds a CR or LF that is not part of a CR LF, or does not end in one.
        case lineBreak
        /// A line is longer than 998 bytes (RFC 5322, section 2.1.1).
        case lineLength
        /// The body holds a NUL.
        case nul
        /// The body is empty or larger than `bytesMax`.
        case size
    }

    /// The largest mail in bytes.
    ///
    /// Relays commonly stop at 10 to 25 MiB.
    package static let bytesMax = 10 * 1024 * 1024
    /// The longest address in bytes: 254 are allowed (RFC 5321, section 4.5.3.1.3), some room is left.
    private static let addressBytesMax = 320
    private static let lineBytesMax = 998

    /// For `MAIL FROM`; empty for the null sender.
    package let sender: String
    /// For `RCPT TO`.
    package let recipient: String
    /// Header and body, before dot-stuffing.
    package let bytes: [UInt8]

    /// Checks and makes a message.
    ///
    /// - Parameters:
    ///   - sender: The envelope sender, or an empty string for the null sender.
    ///   - recipient: The envelope recipient.
    ///   - bytes: Header and body with CR LF after each line.
    /// - Throws: What is wrong first.
    package init(sender: String, recipient: String, bytes: [UInt8]) throws(Flaw) {
        guard Self.isHarmless(sender) else { throw .sender }
        guard !recipient.isEmpty, Self.isHarmless(recipient) else { throw .recipient }
        guard (1...Self.bytesMax).contains(bytes.count) else { throw .size }
        if let flaw = Self.flaw(in: bytes) { throw flaw }
        self.sender = sender
        self.recipient = recipient
        self.bytes = bytes
    }

    private static func isHarmless(_ address: String) -> Bool {
        address.utf8.count <= addressBytesMax
            && address.utf8.allSatisfy { byte in
                (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
            }
    }

    private static func flaw(in bytes: [UInt8]) -> Flaw? {
        var (lineStart, followsCarriageReturn) = (0, false)
        for (position, byte) in bytes.enumerated() {
            // Nearly all bytes go this way.
            if byte > UInt8(ascii: "\r"), !followsCarriageReturn { continue }
            if byte == 0 { return .nul }
            guard followsCarriageReturn == (byte == UInt8(ascii: "\n")) else { return .lineBreak }
            if followsCarriageReturn {
                // Without its CR LF.
                if position - 1 - lineStart > lineBytesMax { return .lineLength }
                lineStart = position + 1
            }
            followsCarriageReturn = byte == UInt8(ascii: "\r")
        }
        return lineStart == bytes.count ? nil : bytes.count - lineStart > lineBytesMax ? .lineLength : .lineBreak
    }
}
