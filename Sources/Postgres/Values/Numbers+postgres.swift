// Numbers. Reading widens: an `Int` may come from an int2, int4 or int8 column, never the other way round.

extension Int: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package init(postgres cell: PostgresCell) throws(PostgresError) { self.init(try Int64(postgres: cell)) }
}

extension Int64: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        switch cell.type {
        case .int4: self.init(try cell.integer(Int32.self, of: .int4))
        case .int2: self.init(try cell.integer(Int16.self, of: .int2))
        default: self = try cell.integer(of: .int8)
        }
    }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int4 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        switch cell.type {
        case .int2: self.init(try cell.integer(Int16.self, of: .int2))
        default: self = try cell.integer(of: .int4)
        }
    }
}

extension Int16: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int2 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package init(postgres cell: PostgresCell) throws(PostgresError) { self = try cell.integer(of: .int2) }
}

/// A transaction number; Postgres has no other unsigned integer of eight bytes.
extension UInt64: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .xid8 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package init(postgres cell: PostgresCell) throws(PostgresError) { self = try cell.integer(of: .xid8) }
}

extension Double: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .float8 }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        switch cell.type {
        case .float4: self.init(Float(bitPattern: try cell.integer(of: .float4)))
        default: self.init(bitPattern: try cell.integer(of: .float8))
        }
    }
}

extension Bool: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .bool }

    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        self = try cell.integer(UInt8.self, of: .bool) != 0
    }
}
