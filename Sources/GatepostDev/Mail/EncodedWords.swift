/// Text in header fields that is not ASCII: `=?utf-8?Q?=C3=84?=` (RFC 2047).
enum EncodedWords {
    /// Takes the encoding off; what is no encoded word stays as it is.
    static func decode(_ value: String) -> String {
        let word = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?=/
        var decoded = ""
        var begin = value.startIndex
        var pending: (characterSet: String, bytes: [UInt8])?
        for match in value.matches(of: word) {
            let between = value[begin..<match.range.lowerBound]
            let characterSet = match.1.lowercased()
            // White space between two encoded words only separates them (section 6.2). A character may, against the
            // rules, be split between them: their bytes are joined before they are read.
            if let words = pending, !between.allSatisfy(\.isWhitespace) || words.characterSet != characterSet {
                decoded += CharacterSetName.decode(words.bytes, words.characterSet)
                pending = nil
            }
            if !between.allSatisfy(\.isWhitespace) || begin == value.startIndex { decoded += between }
            pending = (characterSet, (pending?.bytes ?? []) + bytes(of: match.3, isBase64: match.2.lowercased() == "b"))
            begin = match.range.upperBound
        }
        if let words = pending { decoded += CharacterSetName.decode(words.bytes, words.characterSet) }
        return decoded + value[begin...]
    }

    /// In the Q encoding an underscore is a space (section 4.2).
    private static func bytes(of text: Substring, isBase64: Bool) -> [UInt8] {
        guard !isBase64 else { return TransferEncoding.decodeBase64(Array(text.utf8)) }
        let spaced = text.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }
        return TransferEncoding.decodeQuotedPrintable(spaced)
    }
}
