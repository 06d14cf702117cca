package import GatepostModel
package import Postgres

extension UUIDBits: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: self.bytes)
    }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        let bytes = try cell.bytes(of: .uuid)
        func half(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        self.init(high: half(0..<8), low: half(8..<16))
    }
}

extension TypedID: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into bytes: inout [UInt8]) {
        uuid.encode(into: &bytes)
    }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        self.init(uuid: try UUIDBits(postgres: cell))
    }
}

extension Instant: PostgresEncodable, PostgresDecodable {
    /// Postgres counts from 2000-01-01.
    private static let postgresEpoch = Instant(seconds: 946_684_800)

    package static var postgresType: PostgresType { .timestamptz }

    package func encode(into bytes: inout [UInt8]) {
        (microseconds - Self.postgresEpoch.microseconds).encode(into: &bytes)
    }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        let bytes = try cell.bytes(of: .timestamptz)
        let count = Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        self.init(microseconds: count + Self.postgresEpoch.microseconds)
    }
}

/// The text of a table; one that this version does not know is an error.
extension SigningAlgorithm: PostgresDecodable {}
