import Crypto

/// Where the next page of a list begins: the moment and the id of the last row shown.
///
/// Opaque, and bound by a keyed hash to the app and the list that it came from: one that was made up, or taken to
/// another app, is refused instead of read (SECURITY: page tokens once opened a database, GHSA-hgx2-28f8-6g2r).
package struct PageCursor: Sendable, Hashable {
    /// Rows of a page, unless asked for fewer or more.
    package static let rowsDefault = 50
    /// Rows of a page at most.
    package static let rowsMax = 200

    /// What the list is sorted by.
    package let at: Instant
    /// What tells rows of one moment apart.
    package let id: UUIDBits

    /// Points behind a row.
    package init(at: Instant, id: UUIDBits) {
        (self.at, self.id) = (at, id)
    }

    /// The text that goes out.
    ///
    /// - Parameters:
    ///   - app: Whose rows the list shows.
    ///   - list: Which list, with its filter: a cursor of one is none of another.
    ///   - keys: The key ring.
    /// - Returns: Letters, digits, `-` and `_`.
    package func text(app: AppID, list: String, keys: KeyRing) -> String {
        Base64URL.encode(bytes + Self.tag(bytes, app: app, list: list, key: keys.currentDerivedKey(for: Self.use)))
    }

    /// Reads what came back; nil for anything but a cursor of this very list.
    package init?(_ text: String, app: AppID, list: String, keys: KeyRing) {
        guard text.utf8.count <= 100, let all = Base64URL.decode(Array(text.utf8)),
            all.count == Self.bytesCount + Self.tagBytes
        else { return nil }
        let bytes = Array(all.prefix(Self.bytesCount))
        let isOurs = keys.epochs.contains { epoch in
            keys.derivedKey(for: Self.use, epoch: epoch).map { key in
                constantTimeEqual(
                    Self.tag(bytes, app: app, list: list, key: key), Array(all.dropFirst(Self.bytesCount)))
            } ?? false
        }
        guard isOurs else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        at = Instant(microseconds: Int64(bitPattern: number(0..<8)))
        id = UUIDBits(high: number(8..<16), low: number(16..<24))
    }

    private static let use = "page-cursor"
    private static let bytesCount = 24
    private static let tagBytes = 16

    private var bytes: [UInt8] {
        let moment = UInt64(bitPattern: at.microseconds)
        return (0..<8).map { UInt8(truncatingIfNeeded: moment >> (56 - 8 * $0)) } + id.bytes
    }

    private static func tag(_ bytes: [UInt8], app: AppID, list: String, key: SymmetricKey) -> [UInt8] {
        let message = app.uuid.bytes + bytes + Array(list.utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(tagBytes))
    }
}
