/// A value that can be read from a result.
package protocol PostgresDecodable: PostgresArrayReadable {
    /// Reads the value; checks the cell's type before its bytes.
    init(postgres cell: PostgresCell) throws(PostgresError)
}

/// What an array that is read can consist of: any decodable value, or a byte (see `PostgresArrayElement`).
package protocol PostgresArrayReadable {
    /// Reads a whole array.
    static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self]
}

extension PostgresDecodable {
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresError) -> [Self] {
        let elements = try cell.elements()
        var values: [Self] = []
        values.reserveCapacity(elements.count)
        for element in elements { values.append(try Self(postgres: element)) }
        return values
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws(PostgresError) {
        guard let value = Self(rawValue: try RawValue(postgres: cell)) else {
            throw cell.mismatch(expected: String(describing: Self.self))
        }
        self = value
    }
}
