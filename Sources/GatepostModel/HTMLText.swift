/// Text as it may stand in HTML, between tags and in quoted attributes.
///
/// It is escaped scalar by scalar, as a browser reads it. A character of Swift is a grapheme cluster: `<` with a
/// combining mark behind it is another character than `<`, so whoever escapes by characters lets the sign through.
package struct HTMLText: Sendable {
    /// The text without markup of its own.
    package let escaped: String

    /// Escapes a text; what has been escaped before is escaped again.
    package init(_ text: String) {
        // In UTF-8 a byte below 0x80 is a scalar of its own and part of no other.
        let bytes = Array(text.utf8)
        guard bytes.contains(where: { Self.reference(for: $0) != nil }) else {
            escaped = text
            return
        }
        escaped = String(
            decoding: bytes.reduce(into: [UInt8]()) { output, byte in
                if let reference = Self.reference(for: byte) {
                    output += Array(reference.utf8)
                } else {
                    output.append(byte)
                }
            }, as: UTF8.self)
    }

    private static func reference(for byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}
