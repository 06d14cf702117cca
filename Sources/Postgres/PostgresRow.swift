/// One row of a result; a reference to it, without a copy.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let index: Int

    /// Reads the column of this name.
    ///
    /// The name is that of a column as it is written, or else taken as SQL takes it: in lower case unless it is in
    /// double quotes. Of two columns of one name it is
    /// the first.
    package func get<Value: PostgresDecodable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        try Value(postgres: cell(column))
    }

    /// Reads the column at this position, counted from 0.
    package func get<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        try Value(postgres: result.cell(row: index, column: column))
    }

    /// The field of this name as it came.
    package func cell(_ column: String) throws(PostgresError) -> PostgresCell {
        guard let position = result.columnIndex(column) else {
            throw result.decodingError(column: column, expected: "a column of the result")
        }
        return try result.cell(row: index, column: position)
    }
}
