/// A text with places that values go into.
///
/// Mustache renders a template once, with a mark in each place, and each mail is put together from the pieces: to
/// render every mail anew took a sixth of what a mail costs.
struct TextMold: Sendable {
    private enum Piece: Sendable {
        case text(String)
        case value(name: String)
    }

    /// Private-use scalars, which no template holds.
    private static let (markStart, markEnd) = ("\u{F8FE}", "\u{F8FF}")

    private let pieces: [Piece]
    private let byteCount: Int

    /// What stands in a rendered template where a value goes.
    static func mark(_ name: String) -> String { markStart + name + markEnd }

    /// Takes a template that was rendered with marks for values.
    init(rendered: String) {
        let parts = rendered.split(separator: Self.markStart, omittingEmptySubsequences: false)
        var pieces = [Piece.text(String(parts[0]))]
        for part in parts.dropFirst() {
            let (name, text) = part.divided(at: Self.markEnd)
            pieces += [.value(name: name), .text(text)]
        }
        self.pieces = pieces
        byteCount = rendered.utf8.count
    }

    /// The text with its values, which are taken as they are.
    func filled(_ values: [String: String]) -> String {
        var filled = ""
        filled.reserveCapacity(byteCount + byteCount / 4)
        for piece in pieces {
            switch piece {
            case .text(let text): filled += text
            case .value(let name): filled += values[name] ?? ""
            }
        }
        return filled
    }
}

extension Substring {
    /// What stands before a mark, and what behind it.
    fileprivate func divided(at mark: String) -> (String, String) {
        guard let place = firstRange(of: mark) else { return ("", String(self)) }
        return (String(self[..<place.lowerBound]), String(self[place.upperBound...]))
    }
}
