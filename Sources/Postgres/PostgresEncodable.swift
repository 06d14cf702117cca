/// A value that can be a parameter.
///
/// Values travel in Postgres' binary format (big-endian, as the type's `…recv` function reads it), except those of
/// type `inferred`, which are UTF-8 text.
package protocol PostgresEncodable: PostgresArrayElement {
    /// The type the server is told.
    static var postgresType: PostgresType { get }

    /// Appends the value's bytes.
    func encode(into bytes: inout [UInt8])
}

/// What an array parameter can consist of: any encodable value, an optional one, or a byte.
///
/// A protocol of its own because `[UInt8]` is not an array to Postgres but a `bytea`.
package protocol PostgresArrayElement {
    /// The type of an array of these.
    static var postgresArrayType: PostgresType { get }

    /// Appends a whole array's bytes.
    static func encodeArray(_ elements: [Self], into bytes: inout [UInt8])
}

extension PostgresEncodable {
    package static var postgresArrayType: PostgresType { postgresType.array }

    package static func encodeArray(_ elements: [Self], into bytes: inout [UInt8]) {
        bytes.appendArray(elements, of: postgresType, hasNulls: false) { element, bytes in
            bytes.appendCounted(element)
        }
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var postgresType: PostgresType { RawValue.postgresType }

    package func encode(into bytes: inout [UInt8]) { rawValue.encode(into: &bytes) }
}

extension [UInt8] {
    /// Appends an integer as the network has it.
    package mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        var shift = Value.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends an element with its length before it; the length is filled in once it is known.
    mutating func appendCounted<Value: PostgresEncodable>(_ value: Value) {
        let position = count
        appendBigEndian(Int32(0))
        value.encode(into: &self)
        let length = Int32(clamping: count - position - 4)
        for (offset, shift) in [24, 16, 8, 0].enumerated() {
            self[position + offset] = UInt8(truncatingIfNeeded: length >> Int32(shift))
        }
    }

    /// Appends an array of one dimension as `array_recv` reads it.
    mutating func appendArray<Item>(
        _ elements: [Item], of type: PostgresType, hasNulls: Bool,
        _ appendElement: (Item, inout [UInt8]) -> Void
    ) {
        appendBigEndian(Int32(elements.isEmpty ? 0 : 1))
        appendBigEndian(Int32(hasNulls ? 1 : 0))
        appendBigEndian(type.elementOID)
        guard !elements.isEmpty else { return }
        appendBigEndian(Int32(clamping: elements.count))
        appendBigEndian(Int32(1))
        for element in elements { appendElement(element, &self) }
    }
}
