/// A JSON object written member by member, straight into bytes (RFC 8259).
///
/// For what is written at every request: an encoder takes several times as long as the text is worth.
package struct JSONText: Sendable {
    /// What has been written so far.
    package private(set) var bytes: [UInt8]

    /// Begins an object.
    package init(reserving count: Int = 512) {
        bytes = []
        bytes.reserveCapacity(count)
        bytes.append(UInt8(ascii: "{"))
    }

    /// Adds a text.
    package mutating func add(_ name: String, _ text: String) {
        begin(name)
        Self.append(text, to: &bytes)
    }

    /// Adds an id.
    package mutating func add<Kind>(_ name: String, _ id: TypedID<Kind>) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        id.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a time.
    package mutating func add(_ name: String, _ time: Instant) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        time.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a number.
    package mutating func add(_ name: String, _ number: Int64) {
        begin(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Adds an object within this one.
    package mutating func add(_ name: String, _ write: (inout JSONText) -> Void) {
        begin(name)
        bytes.append(UInt8(ascii: "{"))
        write(&self)
        end()
    }

    /// Ends the object.
    package mutating func end() {
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func begin(_ name: String) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        Self.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Writes a text in quotes (section 7); DEL is escaped, too, since a log goes to terminals.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        guard text.utf8.contains(where: isEscaped) else { return bytes.append(contentsOf: text.utf8) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8)
                bytes.append(contentsOf: String(byte, radix: 16).utf8)
            default:
                bytes.append(byte)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}
