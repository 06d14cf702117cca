import GatepostModel

/// A header of a mail, which encodes itself.
///
/// Typed values and no free text after a colon: whatever a display name or a subject holds, it becomes encoded
/// words (RFC 2047) of printable ASCII, so a header cannot end early and begin another.
enum MailHeader {
    /// A phrase before an address, and the address in angle brackets.
    case mailbox(name: String, MailboxName, EmailAddress)
    case address(name: String, EmailAddress)
    case text(name: String, String)
    /// One of our own constants or ids.
    case token(name: String, String)

    /// A display name.
    struct MailboxName {
        let text: String
    }

    /// The longest line that is aimed at (RFC 5322, section 2.1.1).
    static let lineLength = 76

    /// The header with its line breaks and a CR LF at the end.
    var encoded: String {
        switch self {
        case .mailbox(let name, let display, let address):
            Self.folded(name, Self.words(display.text, isPhrase: true) + ["<\(address.ascii)>"])
        case .address(let name, let address): Self.folded(name, ["<\(address.ascii)>"])
        case .text(let name, let text): Self.folded(name, Self.words(text, isPhrase: false))
        case .token(let name, let text): Self.folded(name, [text])
        }
    }

    /// Puts words on lines; a line that goes on begins with a space.
    private static func folded(_ name: String, _ words: [String]) -> String {
        var lines = ["\(name):"]
        for word in words {
            if lines[lines.count - 1].utf8.count + 1 + word.utf8.count > lineLength,
                lines[lines.count - 1] != "\(name):"
            {
                lines.append(" \(word)")
            } else {
                lines[lines.count - 1] += " \(word)"
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// Plain words where every one is harmless, encoded words otherwise.
    private static func words(_ text: String, isPhrase: Bool) -> [String] {
        let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        let isPlain = words.allSatisfy { word in
            !word.isEmpty && word.utf8.count <= 60 && !word.hasPrefix("=?")
                && word.utf8.allSatisfy { isPhrase ? isAtomCharacter($0) : (0x21...0x7E).contains($0) }
        }
        return isPlain && !text.isEmpty ? words : encodedWords(text)
    }

    /// RFC 2047 in UTF-8 and base 64; a character is never split between two words (section 5).
    private static func encodedWords(_ text: String) -> [String] {
        var words: [String] = []
        var piece: [UInt8] = []
        func finish() {
            if !piece.isEmpty { words.append("=?UTF-8?B?\(Base64.encode(piece))?=") }
            piece = []
        }
        for scalar in text.unicodeScalars {
            // Control characters carry nothing that a reader sees.
            guard scalar.value >= 0x20, scalar.value != 0x7F else { continue }
            let bytes = Array(String(scalar).utf8)
            if piece.count + bytes.count > 39 { finish() }
            piece += bytes
        }
        finish()
        return words.isEmpty ? ["=?UTF-8?B??="] : words
    }

    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "'"):
            true
        default: false
        }
    }
}
