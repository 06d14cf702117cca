/// Text, whose type the statement decides when it is a parameter, and which reads text, JSON and names.
extension String: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .inferred }

    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }

    package init(postgres cell: PostgresCell) throws(PostgresError) {
        guard let offset = cell.textOffset else { throw cell.mismatch(expected: "text, not null") }
        self = unsafe cell.withBytes { unsafe String(decoding: $0.dropFirst(offset), as: UTF8.self) }
    }
}
