/// One field of one row, or one element of an array in it; read in place, copied only when asked for.
@safe package struct PostgresCell: @unchecked Sendable {
    /// The type of the value.
    package let type: PostgresType

    /// How many bytes the value has; 0 for `null`.
    package let byteCount: Int

    /// Keeps the memory alive, which nobody writes to; that makes the pointer safe to hand between threads.
    private let result: PostgresResult
    private let column: Int
    private let start: UnsafePointer<UInt8>?

    init(result: PostgresResult, column: Int, type: PostgresType, start: UnsafePointer<UInt8>?, byteCount: Int) {
        self.result = result
        self.column = column
        self.type = type
        unsafe self.start = unsafe start
        self.byteCount = byteCount
    }

    /// Whether the value is `null`.
    package var isNull: Bool { unsafe start == nil }

    /// A copy of the value's bytes in Postgres' binary format; empty for `null`.
    package var bytes: [UInt8] { unsafe withBytes { unsafe Array($0) } }

    /// A copy of the bytes of a value that has to have the type given.
    package func bytes(of type: PostgresType) throws(PostgresError) -> [UInt8] {
        try require(type)
        return bytes
    }

    /// Reads the bytes as one big-endian integer; the type and the length have to be as given.
    ///
    /// The way to read a `timestamptz` (as `Int64`) or a `uuid` (as `UInt128`) without a copy.
    package func integer<Value: FixedWidthInteger>(
        _ integer: Value.Type = Value.self, of type: PostgresType
    ) throws(PostgresError) -> Value {
        try require(type)
        guard byteCount == Value.bitWidth / 8 else { throw mismatch(expected: type.description) }
        return bigEndian(at: 0)
    }

    /// Throws unless the value is of this type and not `null`.
    package func require(_ type: PostgresType) throws(PostgresError) {
        guard self.type == type, !isNull else { throw mismatch(expected: "\(type), not null") }
    }

    /// The error of a reader that expected something else; it names the column, never the value.
    package func mismatch(expected: String) -> PostgresError {
        result.decodingError(column: result.columnName(column), expected: expected)
    }

    /// Where a textual value begins (after the version byte that `jsonb` has); none if it is `null` or no text.
    var textOffset: Int? {
        switch type {
        case .text, .varchar, .name, .bpchar, .json, .unknown: isNull ? nil : 0
        case .jsonb: isNull ? nil : 1
        default: nil
        }
    }

    func withBytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        withExtendedLifetime(result) { unsafe body(UnsafeBufferPointer(start: start, count: byteCount)) }
    }

    /// The big-endian integer at an offset that the caller has checked.
    func bigEndian<Value: FixedWidthInteger>(_ integer: Value.Type = Value.self, at offset: Int) -> Value {
        unsafe withBytes { bytes in
            var value: Value = 0
            for position in offset..<offset + Value.bitWidth / 8 {
                value = Value.bitWidth == 8 ? 0 : value << 8
                value |= Value(truncatingIfNeeded: unsafe bytes[position])
            }
            return value
        }
    }

    /// The elements of an array of one dimension or none, as `array_send` writes it.
    func elements() throws(PostgresError) -> [PostgresCell] {
        guard type.isArray, byteCount >= 12 else { throw mismatch(expected: "an array") }
        let dimensions = bigEndian(Int32.self, at: 0)
        guard dimensions != 0 else { return [] }
        guard dimensions == 1, byteCount >= 20 else { throw mismatch(expected: "an array of one dimension") }
        let elementType = PostgresType(oid: bigEndian(at: 8))
        let count = Int(bigEndian(Int32.self, at: 12))
        // Each element has at least its length, so a false count cannot make us reserve memory.
        guard count >= 0, count <= (byteCount - 20) / 4 else { throw mismatch(expected: "an array") }
        var cells: [PostgresCell] = []
        cells.reserveCapacity(count)
        var position = 20
        for _ in 0..<count {
            guard position + 4 <= byteCount else { throw mismatch(expected: "an array") }
            let length = Int(bigEndian(Int32.self, at: position))
            position += 4
            guard length <= byteCount - position else { throw mismatch(expected: "an array") }
            let elementStart = length < 0 ? nil : unsafe start.map { unsafe $0 + position }
            unsafe cells.append(
                PostgresCell(
                    result: result, column: column, type: elementType, start: elementStart, byteCount: max(length, 0)))
            position += max(length, 0)
        }
        return cells
    }
}
