import FoundationEssentials

/// Base 64 with padding, on one line, as encoded words want it.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }
}

/// Quoted-printable (RFC 2045, section 6.7): text that stays readable on the wire and in seven bits.
enum QuotedPrintable {
    /// The longest encoded line, its soft break included.
    static let lineLength = 76

    /// Encodes text; every line break of the input, whichever kind, becomes CR LF, and the end is one.
    ///
    /// Run by run: by characters it took longer than to derive the mail's secrets and send it.
    static func encode(_ text: String, into output: inout [UInt8]) {
        let bytes = Array(text.utf8)
        output.reserveCapacity(output.count + bytes.count + bytes.count / 4)
        var (column, position) = (0, 0)
        while position < bytes.count {
            let room = lineLength - 1 - column
            let end = endOfRun(in: bytes, from: position, room: room, startsLine: column == 0)
            let byte = bytes[position]
            if end > position {
                output += bytes[position..<end]
                (column, position) = (column + end - position, end)
            } else if isLineBreak(byte) {
                output += lineEnd
                let isPair = byte == UInt8(ascii: "\r") && position + 1 < bytes.count
                (column, position) = (0, position + (isPair && bytes[position + 1] == UInt8(ascii: "\n") ? 2 : 1))
            } else if room >= 3 {
                output += [UInt8(ascii: "="), hexDigit(byte >> 4), hexDigit(byte & 15)]
                (column, position) = (column + 3, position + 1)
            } else {
                output.append(UInt8(ascii: "="))
                output += lineEnd
                column = 0
            }
        }
        output += lineEnd
    }

    /// Where the bytes end that stand for themselves.
    ///
    /// A dot that begins a line is written out, so that no relay's dot-stuffing is ever needed; and so is a space that
    /// ends one, which would be lost.
    private static func endOfRun(in bytes: [UInt8], from start: Int, room: Int, startsLine: Bool) -> Int {
        if startsLine, bytes[start] == UInt8(ascii: ".") { return start }
        var end = start
        let limit = min(bytes.count, start + room)
        while end < limit, isLiteral(bytes[end]) { end += 1 }
        guard end > start, end == bytes.count || isLineBreak(bytes[end]) else { return end }
        return bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 ? end - 1 : end
    }

    /// Whether a byte stands for itself, anywhere but at the end of a line.
    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7E && byte != UInt8(ascii: "=") || byte == 0x09
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    private static let lineEnd = Array("\r\n".utf8)

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
