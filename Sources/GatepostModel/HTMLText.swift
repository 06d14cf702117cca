/// Text as it may stand in HTML, between tags and in quoted attributes.
///
/// It is escaped scalar by scalar, as a browser reads it. A character of Swift is a grapheme cluster: `<` with a
/// combining mark behind it is another character than `<`, so whoever escapes by characters lets the sign through.
package struct HTMLText: Sendable {
    /// The text without markup of its own.
    package let escaped: String

    /// Escapes a text; what has been escaped before is escaped again.
    package init(_ text: String) {
        escaped = text.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
