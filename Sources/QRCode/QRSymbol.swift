internal import CLibqrencode

/// A text as a camera reads it: a square of dark and light modules (ISO/IEC 18004).
///
/// Level M of error correction, which gets over a seventh of the symbol: a screen reflects, but nothing of it is torn.
package struct QRSymbol: Sendable, Equatable {
    /// The longest text in bytes: what fits into 97 modules a side (version 20), of which a phone still shows each.
    package static let bytesMax = 666
    /// The light edge that a reader needs around a symbol, in modules.
    package static let quietZone = 4

    /// The modules of a side, without the quiet zone.
    package let side: Int
    /// Row by row; true for a dark one.
    private let modules: [Bool]

    /// Encodes a text as bytes; nil for one that is empty or too long.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...Self.bytesMax).contains(bytes.count) else { return nil }
        let encoded = unsafe bytes.withUnsafeBufferPointer { bytes in
            // Version 0: the smallest that will do.
            unsafe QRcode_encodeData(CInt(bytes.count), bytes.baseAddress, 0, QR_ECLEVEL_M)
        }
        guard let encoded = unsafe encoded else { return nil }
        defer { unsafe QRcode_free(encoded) }
        let side = Int(unsafe encoded.pointee.width)
        self.side = side
        // The lowest bit is the colour; the others say what a module is for.
        modules = unsafe UnsafeBufferPointer(start: encoded.pointee.data, count: side * side).map { $0 & 1 == 1 }
    }

    /// Whether a module is dark.
    package subscript(row: Int, column: Int) -> Bool { modules[row * side + column] }
}
