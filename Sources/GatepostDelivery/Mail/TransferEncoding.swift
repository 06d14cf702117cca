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
    /// Byte by byte: by characters and strings it took longer than to derive the mail's secrets and send it.
    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 4)
        var start = 0
        while true {
            let end = bytes[start...].firstIndex { $0 == lineFeed || $0 == carriageReturn } ?? bytes.count
            encode(line: bytes[start..<end], into: &output)
            output += [carriageReturn, lineFeed]
            guard end < bytes.count else { return String(decoding: output, as: UTF8.self) }
            start = end + (bytes[end...].starts(with: [carriageReturn, lineFeed]) ? 2 : 1)
        }
    }

    private static func encode(line: ArraySlice<UInt8>, into output: inout [UInt8]) {
        let hex = hex
        var column = 0
        for position in line.indices {
            let byte = line[position]
            let isLast = position == line.endIndex - 1
            var isLiteral =
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
                || (byte == 0x20 || byte == 0x09) && !isLast
            if column + (isLiteral ? 1 : 3) > lineLength - 1 {
                output += [UInt8(ascii: "="), carriageReturn, lineFeed]
                column = 0
            }
            // A dot that begins a line is written out, so that no relay's dot-stuffing is ever needed.
            if column == 0, byte == UInt8(ascii: ".") { isLiteral = false }
            if isLiteral {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "="), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
            column += isLiteral ? 1 : 3
        }
    }

    private static let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    private static let hex = Array("0123456789ABCDEF".utf8)
}
