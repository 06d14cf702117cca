/// A type of Postgres by its object identifier, as fixed in `pg_type.dat`.
package struct PostgresType: Sendable, Hashable {
    /// The identifier; 0 leaves the type to the statement's context.
    package let oid: UInt32

    /// The identifier of the type's array; 0 if this module knows none.
    let arrayOID: UInt32

    init(oid: UInt32, arrayOID: UInt32 = 0) {
        self.oid = oid
        self.arrayOID = arrayOID
    }

    /// A text whose type the statement decides: `text`, `jsonb`, `inet`, an enum and so on.
    ///
    /// It is the one type that is sent in text format. As an array it is `text[]`.
    package static let inferred = PostgresType(oid: 0, arrayOID: 1009)
    /// One byte, 0 or 1.
    package static let bool = PostgresType(oid: 16, arrayOID: 1000)
    /// Bytes as they are.
    package static let bytea = PostgresType(oid: 17, arrayOID: 1001)
    /// Eight bytes, big-endian.
    package static let int8 = PostgresType(oid: 20, arrayOID: 1016)
    /// Two bytes, big-endian.
    package static let int2 = PostgresType(oid: 21, arrayOID: 1005)
    /// Four bytes, big-endian.
    package static let int4 = PostgresType(oid: 23, arrayOID: 1007)
    /// UTF-8.
    package static let text = PostgresType(oid: 25, arrayOID: 1009)
    /// The JSON text as it was stored.
    package static let json = PostgresType(oid: 114, arrayOID: 199)
    /// An IEEE 754 number of four bytes, big-endian.
    package static let float4 = PostgresType(oid: 700, arrayOID: 1021)
    /// An IEEE 754 number of eight bytes, big-endian.
    package static let float8 = PostgresType(oid: 701, arrayOID: 1022)
    /// UTF-8, with a greatest length in the schema.
    package static let varchar = PostgresType(oid: 1043, arrayOID: 1015)
    /// Eight bytes, big-endian: microseconds since 2000-01-01 00:00 UTC.
    package static let timestamptz = PostgresType(oid: 1184, arrayOID: 1185)
    /// Sixteen bytes as written.
    package static let uuid = PostgresType(oid: 2950, arrayOID: 2951)
    /// A version byte (1), then the JSON text.
    package static let jsonb = PostgresType(oid: 3802, arrayOID: 3807)
    /// An eight-byte transaction number that does not wrap around.
    package static let xid8 = PostgresType(oid: 5069, arrayOID: 271)

    static let name = PostgresType(oid: 19, arrayOID: 1003)
    static let bpchar = PostgresType(oid: 1042, arrayOID: 1014)
    static let unknown = PostgresType(oid: 705)

    /// The array of this type.
    var array: PostgresType { PostgresType(oid: arrayOID == 0 ? Self.unsendableOID : arrayOID) }

    /// The type of this one's elements within a binary array.
    var elementOID: UInt32 { isText ? Self.text.oid : oid }

    /// Whether its values travel as text.
    var isText: Bool { oid == Self.inferred.oid }

    /// Whether this module knows how to name the type to the server; not so for arrays of arrays.
    var isSendable: Bool { oid != Self.unsendableOID }

    /// Whether its values are arrays of a type listed here.
    var isArray: Bool { Self.arrayOIDs.contains(oid) }

    private static let arrayOIDs: Set<UInt32> = Set(
        [
            bool, bytea, int8, int2, int4, text, json, float4, float8, varchar, timestamptz, uuid, jsonb, xid8, name,
            bpchar,
        ].map(\.arrayOID))

    private static let unsendableOID = UInt32.max

    package static func == (one: PostgresType, other: PostgresType) -> Bool { one.oid == other.oid }

    package func hash(into hasher: inout Hasher) { hasher.combine(oid) }
}

extension PostgresType: CustomStringConvertible {
    private static let names: [UInt32: String] = [
        0: "inferred", 16: "bool", 17: "bytea", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text",
        114: "json", 700: "float4", 701: "float8", 1042: "bpchar", 1043: "varchar", 1184: "timestamptz",
        2950: "uuid", 3802: "jsonb", 5069: "xid8",
    ]

    package var description: String { Self.names[oid] ?? "type \(oid)" }
}
