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
    static func encode(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
            .map { encodedLine($0.utf8) + "\r\n" }
            .joined()
    }

    private static func encodedLine(_ line: Substring.UTF8View) -> String {
        var output = ""
        var column = 0
        let count = line.count
        for (position, byte) in line.enumerated() {
            let isLast = position == count - 1
            let isLiteral =
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
                || (byte == 0x20 || byte == 0x09) && !isLast
            // A dot that begins a line is written out, so that no relay's dot-stuffing is ever needed.
            let piece =
                isLiteral && !(column == 0 && byte == UInt8(ascii: "."))
                ? String(UnicodeScalar(byte)) : "=\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            if column + piece.utf8.count > lineLength - 1 {
                output += "=\r\n"
                column = 0
            }
            output += piece
            column += piece.utf8.count
        }
        return output
    }

    private static let hex = Array("0123456789ABCDEF")
}
