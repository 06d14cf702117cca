/// What went wrong, without any value from a row or a parameter.
///
/// The server's message and detail are left out, since they quote values (`Key (email)=(…) already exists`); the
/// SQLSTATE, the constraint and the table say as much to a program. The statement's text is safe by construction.
package struct PostgresError: Error, Sendable, Equatable {
    /// What kind of failure it is.
    package enum Kind: Sendable, Equatable {
        /// The server refused; `sqlState` says why.
        case server
        /// The connection broke. If the outcome is unknown, the statements may or may not have been committed.
        case connectionLost(outcomeUnknown: Bool)
        /// No server could be reached before the deadline; `hint` says what the last attempt met.
        case connectFailed
        /// The deadline passed, in the queue or while running.
        case deadlineExceeded
        /// The task was cancelled, in the queue or while the statement ran.
        case cancelled
        /// The queue is full.
        case poolExhausted
        /// A column has another type than the reader expected.
        case decoding(column: String, expected: String)
        /// A parameter cannot be sent: a text with a NUL byte, an array of arrays, or too many bytes.
        case unsendableParameter(number: Int)
        /// The pool was shut down, or the transaction has ended.
        case closed
    }

    /// Which of these it is.
    package let kind: Kind

    /// The five characters of the server's error code.
    package var sqlState: String?

    /// The constraint that was violated, as named in the schema.
    package var constraint: String?

    /// The table the error is about.
    package var table: String?

    /// More for the reader of a log, where it is sure to hold no value.
    package var hint: String?

    /// The statement's text, with `$1` in place of values.
    package var statement: String?

    /// Whether the work may have been committed although an error was reported.
    ///
    /// True after a connection was lost, or a deadline or cancellation forced it to be closed, once everything had been
    /// sent.
    package var outcomeIsUnknown: Bool

    init(_ kind: Kind, statement: String? = nil, hint: String? = nil, outcomeIsUnknown: Bool = false) {
        self.kind = kind
        self.statement = statement
        self.hint = hint
        self.outcomeIsUnknown = outcomeIsUnknown || kind == .connectionLost(outcomeUnknown: true)
    }
}

extension PostgresError: CustomStringConvertible {
    /// How much of a statement a log line shows.
    private static let statementCharactersMax = 300

    package var description: String {
        var parts = ["\(kind)"]
        if let sqlState { parts.append("SQLSTATE \(sqlState)") }
        if let constraint { parts.append("constraint \(constraint)") }
        if let table { parts.append("table \(table)") }
        if let hint { parts.append(hint) }
        if outcomeIsUnknown { parts.append("the outcome is unknown") }
        if let statement { parts.append("in: \(statement.prefix(Self.statementCharactersMax))") }
        return parts.joined(separator: ", ")
    }
}
