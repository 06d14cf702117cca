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
        var start = 0
        while true {
            let end = bytes[start...].firstIndex { $0 == lineFeed || $0 == carriageReturn } ?? bytes.count
            encode(line: bytes[start..<end], into: &output)
            output += lineEnd
            guard end < bytes.count else { return }
            start = end + (bytes[end...].starts(with: lineEnd) ? 2 : 1)
        }
    }

    private static func encode(line: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var (column, position) = (0, line.startIndex)
        while position < line.endIndex {
            let room = lineLength - 1 - column
            let run = line[position...].prefix(room).prefix { isLiteral($0) }
            // A dot that begins a line is written out, so that no relay's dot-stuffing is ever needed; and so is a
            // space that ends one, which would be lost.
            let isDot = column == 0 && run.first == UInt8(ascii: ".")
            var length = isDot ? 0 : run.count
            if position + length == line.endIndex, let last = run.last, last == 0x20 || last == 0x09 { length -= 1 }
            if length > 0 {
                output += line[position..<position + length]
                (column, position) = (column + length, position + length)
            } else if room >= 3 {
                let byte = line[position]
                output += [UInt8(ascii: "="), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
                (column, position) = (column + 3, position + 1)
            } else {
                output += softBreak
                column = 0
            }
        }
    }

    /// Whether a byte stands for itself, anywhere but at the end of a line.
    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7E && byte != UInt8(ascii: "=") || byte == 0x09
    }

    private static let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    private static let lineEnd = [carriageReturn, lineFeed]
    private static let softBreak = [UInt8(ascii: "="), carriageReturn, lineFeed]
    private static let hex = Array("0123456789ABCDEF".utf8)
}
