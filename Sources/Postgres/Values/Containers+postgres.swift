// Bytes, arrays and optional values.

/// A byte is not a value of its own: an array of bytes is a `bytea`.
extension UInt8: PostgresArrayElement, PostgresArrayReadable {
    package static var postgresArrayType: PostgresType { .bytea }

    package static func encodeArray(_ elements: [UInt8], into bytes: inout [UInt8]) { bytes += elements }

    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [UInt8] {
        if let offset = cell.textOffset { return Array(cell.bytes.dropFirst(offset)) }
        return try cell.bytes(of: .bytea)
    }
}

extension Array: PostgresArrayElement where Element: PostgresArrayElement {}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }

    package func encode(into bytes: inout [UInt8]) { Element.encodeArray(self, into: &bytes) }
}

extension Array: PostgresArrayReadable where Element: PostgresArrayReadable {}

extension Array: PostgresDecodable where Element: PostgresArrayReadable {
    package init(postgres cell: PostgresCell) throws(PostgresError) { self = try Element.decodeArray(cell) }
}

/// An optional element is a `null` in an array; an optional parameter is bound by the interpolation itself.
extension Optional: PostgresArrayElement where Wrapped: PostgresEncodable {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

    package static func encodeArray(_ elements: [Wrapped?], into bytes: inout [UInt8]) {
        let hasNulls = elements.contains { $0 == nil }
        bytes.appendArray(elements, of: Wrapped.postgresType, hasNulls: hasNulls) { element, bytes in
            if let element { bytes.appendCounted(element) } else { bytes.appendBigEndian(Int32(-1)) }
        }
    }
}

extension Optional: PostgresArrayReadable where Wrapped: PostgresDecodable {}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws(PostgresError) {
        self = cell.isNull ? nil : try Wrapped(postgres: cell)
    }
}
