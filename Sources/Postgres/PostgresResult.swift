import CLibpq
import Glibc

/// What one statement returned: its rows, and how many it touched.
///
/// The rows stay in libpq's memory and are read from there; `PQclear` frees it with the last reference. libpq
/// promises that a finished result is only read, so it can be shared between tasks.
@safe package final class PostgresResult: Sendable {
    private nonisolated(unsafe) let raw: OpaquePointer
    private let statement: String
    private let columnCount: Int32

    /// How many rows there are.
    package let count: Int

    /// Takes over a result; the statement's text is for errors.
    init(taking raw: OpaquePointer, of statement: String) {
        unsafe self.raw = unsafe raw
        self.statement = statement
        count = unsafe Int(PQntuples(raw))
        columnCount = unsafe PQnfields(raw)
    }

    deinit {
        unsafe PQclear(raw)
    }

    /// How many rows an insert, update, delete or merge touched, or a select returned.
    package var affectedCount: Int {
        unsafe Int(String(cString: PQcmdTuples(raw))) ?? 0
    }

    /// What the server says it did, such as `COMMIT` or `INSERT 0 1`.
    var commandTag: String { unsafe String(cString: PQcmdStatus(raw)) }

    func columnIndex(_ name: String) -> Int? {
        // As it is written first: libpq makes a copy of each name that it is asked for, to take the quotes off.
        for column in 0..<columnCount where unsafe strcmp(PQfname(raw, column), name) == 0 { return Int(column) }
        let index = unsafe PQfnumber(raw, name)
        return index < 0 ? nil : Int(index)
    }

    func columnName(_ column: Int) -> String {
        unsafe PQfname(raw, Int32(clamping: column)).map { unsafe String(cString: $0) } ?? "\(column)"
    }

    func cell(row: Int, column: Int) throws(PostgresError) -> PostgresCell {
        guard row >= 0, row < count, column >= 0, column < columnCount else {
            throw decodingError(column: "\(column)", expected: "a column of the result")
        }
        let (row, column) = (Int32(row), Int32(column))
        let type = unsafe PostgresType(oid: PQftype(raw, column))
        let isNull = unsafe PQgetisnull(raw, row, column) == 1
        let value = unsafe isNull ? nil : UnsafeRawPointer(PQgetvalue(raw, row, column))
        return unsafe PostgresCell(
            result: self, column: Int(column), type: type, start: value?.assumingMemoryBound(to: UInt8.self),
            byteCount: isNull ? 0 : Int(PQgetlength(raw, row, column)))
    }

    func decodingError(column: String, expected: String) -> PostgresError {
        PostgresError(.decoding(column: column, expected: expected), statement: statement)
    }
}

extension PostgresResult: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "no such row")
        return PostgresRow(result: self, index: position)
    }
}
