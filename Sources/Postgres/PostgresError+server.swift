import CLibpq

extension PostgresError {
    /// Reads the server's error from a result, leaving out whatever may hold values.
    ///
    /// The message is kept for class 42 only (syntax error or access rule violation), where it names identifiers of the
    /// statement; and not if the error has a context, because then it comes from a function's dynamic SQL, whose text
    /// may have values in it. Class 22 messages quote the value (`invalid input syntax for type uuid: "…"`).
    init(server result: OpaquePointer, statement: String?) {
        func field(_ code: Character) -> String? {
            let code = Int32(code.asciiValue ?? 0)
            return unsafe PQresultErrorField(result, code).map { unsafe String(cString: $0) }
        }
        self.init(.server, statement: statement)
        sqlState = field(Field.sqlState)
        constraint = field(Field.constraint)
        table = field(Field.table)
        if sqlState?.hasPrefix("42") == true, field(Field.context) == nil {
            let position = field(Field.position).map { " at character \($0)" } ?? ""
            hint = field(Field.message).map { $0 + position }
        }
    }

    /// Whether the server ended the session with this error, after which nothing is known of a commit.
    static func isFatal(_ result: OpaquePointer) -> Bool {
        let code = Int32(Field.severity.asciiValue ?? 0)
        guard let severity = unsafe PQresultErrorField(result, code) else { return true }
        return unsafe String(cString: severity) != "ERROR"
    }

    /// The field codes of an error message, from `postgres_ext.h`, where they are macros that Swift cannot import.
    private enum Field {
        static let severity: Character = "V"
        static let sqlState: Character = "C"
        static let message: Character = "M"
        static let position: Character = "P"
        static let context: Character = "W"
        static let table: Character = "t"
        static let constraint: Character = "n"
    }
}
