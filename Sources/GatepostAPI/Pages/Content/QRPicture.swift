import QRCode

/// A QR code as a page draws it: part of the page, so that no policy needs to let a picture in.
///
/// Dark on light with its quiet zone, whatever the page's own colours are: many readers find no other.
struct QRPicture {
    /// What a module is wide on a screen that has the room, in pixels.
    private static let moduleWidth = 4

    /// The picture's own coordinates: modules a side with the quiet zone.
    let side: Int
    /// How wide it is where there is room.
    let width: Int
    /// The dark modules as the path of an SVG, a rectangle for each run in a row.
    let path: String

    /// Draws a text; nil for one that is too long for a picture.
    init?(_ text: String) {
        guard let symbol = QRSymbol(text) else { return nil }
        side = symbol.side + 2 * QRSymbol.quietZone
        width = side * Self.moduleWidth
        path = (0..<symbol.side).map { Self.path(ofRow: $0, symbol) }.joined()
    }

    private static func path(ofRow row: Int, _ symbol: QRSymbol) -> String {
        var (path, column) = ("", 0)
        while column < symbol.side {
            let start = column
            while column < symbol.side, symbol[row, column] { column += 1 }
            if column > start {
                let (x, y, length) = (start + QRSymbol.quietZone, row + QRSymbol.quietZone, column - start)
                path += "M\(x) \(y)h\(length)v1h-\(length)z"
            }
            column += 1
        }
        return path
    }
}
