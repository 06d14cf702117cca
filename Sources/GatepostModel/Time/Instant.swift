/// A moment in UTC, as whole microseconds since 1970: the resolution that Postgres keeps.
///
/// Foundation's `Date` is a floating-point number, so a value read back from the database need not equal the
/// one written. An expiry compared for equality in a test, or a cursor, must.
package struct Instant: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    /// Makes an instant from microseconds since 1970.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Makes an instant from whole seconds since 1970, as JWT claims carry them (RFC 7519, section 2).
    package init(seconds: Int64) {
        self.init(microseconds: seconds * 1_000_000)
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 { microseconds.flooredQuotient(1_000_000) }

    /// Whole milliseconds since 1970, rounded down: the timestamp of a UUIDv7 (RFC 9562, section 5.7).
    package var milliseconds: Int64 { microseconds.flooredQuotient(1000) }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.microseconds < right.microseconds
    }

    package static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds + duration.microseconds)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds - duration.microseconds)
    }

    package static func - (later: Instant, earlier: Instant) -> Duration {
        .microseconds(later.microseconds - earlier.microseconds)
    }
}

extension Duration {
    /// The duration in whole microseconds, rounded toward zero.
    package var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    /// The duration in whole seconds, rounded toward zero, as `expires_in` and `Retry-After` state it.
    package var wholeSeconds: Int64 { components.seconds }

    /// A duration of so many minutes.
    package static func minutes(_ count: Int64) -> Duration { .seconds(count * 60) }

    /// A duration of so many hours.
    package static func hours(_ count: Int64) -> Duration { .seconds(count * 3600) }

    /// A duration of so many days of 24 hours.
    package static func days(_ count: Int64) -> Duration { .seconds(count * 86400) }
}

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC with microseconds, `2026-11-23T09:30:00.000000Z`.
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes it as `description` says: a text of its own for each part takes ten times as long, and there are times in
    /// every line of a log and every answer.
    package func append(to text: inout [UInt8]) {
        let days = seconds.flooredQuotient(86400)
        let second = seconds - days * 86400
        CivilDate(daysSince1970: days).append(to: &text)
        text.append(UInt8(ascii: "T"))
        (second / 3600).append(to: &text, digits: 2)
        text.append(UInt8(ascii: ":"))
        (second / 60 % 60).append(to: &text, digits: 2)
        text.append(UInt8(ascii: ":"))
        (second % 60).append(to: &text, digits: 2)
        text.append(UInt8(ascii: "."))
        (microseconds - seconds * 1_000_000).append(to: &text, digits: 6)
        text.append(UInt8(ascii: "Z"))
    }
}

extension Instant: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let instant = Instant(rfc3339: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 time in UTC"))
        }
        self = instant
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Reads `2026-11-23T09:30:00Z`, with up to six digits of a second's fraction; nil for anything else.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            bytes[range].allSatisfy { (48...57).contains($0) }
                ? Int64(String(decoding: bytes[range], as: UTF8.self)) : nil
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count <= 27, bytes.count > 21,
                let digits = number(20..<bytes.count - 1)
            else { return nil }
            fraction = (bytes.count..<27).reduce(digits) { value, _ in value * 10 }
        }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        self.init(microseconds: ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction)
    }
}
