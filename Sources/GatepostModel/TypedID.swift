/// A UUID, as 128 bits.
///
/// Foundation's type would do, but it comes with Foundation, and it parses what Gatepost never writes.
package struct UUIDBits: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// Makes a UUID from its two halves, most significant first.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a version 7 UUID: 48 bits of milliseconds, then 74 bits of chance (RFC 9562, section 5.7).
    ///
    /// Rows of one time lie together in an index, and an id tells support when it was made.
    package init(version7At instant: Instant, random: any RandomSource) {
        let chance = random.bytes(10)
        let upper = chance[0..<2].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let lower = chance[2..<10].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        high = UInt64(instant.milliseconds) << 16 | 0x7000 | upper & 0x0FFF
        low = 0x8000_0000_0000_0000 | lower & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Reads the form in which Postgres writes a `uuid` as text, as in JSON made by a statement; nil for any other.
    package init?(postgresText text: String) {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        var halves: [UInt64] = [0, 0]
        for (position, byte) in groups.joined().enumerated() {
            guard let digit = Array("0123456789abcdef".utf8).firstIndex(of: byte) else { return nil }
            halves[position / 16] = halves[position / 16] << 4 | UInt64(digit)
        }
        (high, low) = (halves[0], halves[1])
    }

    package static func < (left: UUIDBits, right: UUIDBits) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The 16 bytes, most significant first.
    package var bytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }
}

/// What an identifier stands for; its prefix is what a person sees of that.
package protocol IdentifiedKind: Sendable {
    /// The part before the underscore, `usr` for a user.
    static var prefix: String { get }
}

/// An identifier that says what it identifies: `usr_01k9z…` outside, a UUID in the database.
///
/// The text form is a TypeID: the kind's prefix and the UUID in Crockford's base 32, 26 characters in lower
/// case. Two kinds cannot be mixed up: not by the compiler, not by a person who reads a log.
package struct TypedID<Kind: IdentifiedKind>: Hashable, Comparable, Sendable {
    package let uuid: UUIDBits

    /// Wraps a UUID that is known to identify this kind, such as a column of the database.
    package init(uuid: UUIDBits) {
        self.uuid = uuid
    }

    /// Makes a new identifier.
    package static func make(at instant: Instant, random: any RandomSource) -> Self {
        Self(uuid: UUIDBits(version7At: instant, random: random))
    }

    package static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
}

private let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

extension TypedID: CustomStringConvertible, LosslessStringConvertible {
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes the text form at the end of a buffer, as a token is written.
    package func append(to text: inout [UInt8]) {
        let alphabet = alphabet
        text.reserveCapacity(text.count + Kind.prefix.utf8.count + 27)
        text += Kind.prefix.utf8
        text.append(UInt8(ascii: "_"))
        // 130 bits for 128: the first digit has three.
        text.append(alphabet[Int(uuid.high >> 61)])
        var (high, low) = (uuid.high << 3 | uuid.low >> 61, uuid.low << 3)
        for _ in 0..<25 {
            text.append(alphabet[Int(high >> 59)])
            (high, low) = (high << 5 | low >> 59, low << 5)
        }
    }

    /// Reads the text form; nil for another kind's prefix, a wrong length, upper case or more than 128 bits.
    package init?(_ text: String) {
        let prefix = Kind.prefix + "_"
        guard text.hasPrefix(prefix), text.utf8.count == prefix.utf8.count + 26 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (position, byte) in text.utf8.dropFirst(prefix.utf8.count).enumerated() {
            guard let digit = alphabet.firstIndex(of: byte), position > 0 || digit < 8 else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        self.init(uuid: UUIDBits(high: high, low: low))
    }
}

extension TypedID: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an identifier \(Kind.prefix)_…"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
