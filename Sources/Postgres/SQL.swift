/// A statement and its parameters, bound by construction.
///
/// It can only be written as a literal whose interpolations become parameters (see `SQL+interpolation.swift`), so a
/// value cannot end up in the text. The text is therefore safe to log and to keep in errors.
package struct SQL: Sendable {
    /// The largest number of parameters the protocol can count (its count is a 16-bit integer).
    package static let parameterCountMax = 65_535

    /// The most bytes that the parameters of one statement may have together.
    package static let parameterBytesMax = 256 << 20

    /// One bound value; its bytes lie in the statement's common buffer.
    package struct Parameter: Sendable {
        /// What the server is told about the value; `inferred` leaves it to the statement.
        package let type: PostgresType
        /// Whether it is `null`, which keeps its type.
        package let isNull: Bool
        /// Where its bytes are in the buffer; they are followed by a NUL byte.
        let bytes: Range<Int>
    }

    /// The statement as the server sees it, with `$1` to `$n`.
    package private(set) var text: String

    /// The parameters, `$1` first.
    package private(set) var parameters: [Parameter] = []

    /// The bytes of all parameters, one allocation for the statement.
    private(set) var bytes: [UInt8] = []

    /// The first parameter that cannot be sent, counted from 1: a text with a NUL byte, an array of arrays.
    private(set) var unsendableParameter: Int?

    /// Where the text names a parameter; splicing renumbers there and nowhere else.
    private var mentions: [Mention] = []

    private struct Mention {
        /// The UTF-8 offset of the `$`.
        let offset: Int
        /// The parameter's number, counted from 1.
        let number: Int
    }

    init(literal text: String) {
        self.text = text
    }

    /// A statement from a file of ours: a migration or a job.
    ///
    /// - Parameters:
    ///   - text: The statement, with `$1` to `$n`. A `$` followed by a digit counts as a parameter wherever it stands
    ///     if there are parameters at all.
    ///   - parameters: The values of `$1` to `$n`.
    /// - Returns: The statement.
    package static func trusted(_ text: String, parameters: any PostgresEncodable...) -> SQL {
        trusted(text, parameters: parameters)
    }

    /// The same for values that were put together while running.
    package static func trusted(_ text: String, parameters: [any PostgresEncodable]) -> SQL {
        var statement = SQL(literal: text)
        guard !parameters.isEmpty else { return statement }
        for parameter in parameters { statement.addParameter(parameter) }
        statement.mentions = Self.mentions(in: text)
        return statement
    }

    /// Puts statements one after the other, each with its parameters.
    package static func joined(_ statements: [SQL], separator: SQL = ", ") -> SQL {
        var whole = SQL(literal: "")
        for (position, statement) in statements.enumerated() {
            if position > 0 { whole.splice(separator) }
            whole.splice(statement)
        }
        return whole
    }

    mutating func reserve(textBytes: Int, parameters count: Int) {
        text.reserveCapacity(textBytes)
        parameters.reserveCapacity(count)
        mentions.reserveCapacity(count)
        bytes.reserveCapacity(count * 17)
    }

    mutating func append(text more: String) {
        text += more
    }

    /// Binds a value where the text ends.
    mutating func bind<Value: PostgresEncodable>(_ value: Value?) {
        if let value { addParameter(value) } else { addNull(Value.postgresType) }
        mentions.append(Mention(offset: text.utf8.count, number: parameters.count))
        text += "$"
        text += String(parameters.count)
    }

    /// Appends another statement, whose parameters are counted on from this one's.
    mutating func splice(_ other: SQL) {
        if let unsendable = other.unsendableParameter, unsendableParameter == nil {
            unsendableParameter = parameters.count + unsendable
        }
        appendRenumbered(other, by: parameters.count)
        let shift = bytes.count
        bytes += other.bytes
        for parameter in other.parameters {
            let moved = parameter.bytes.lowerBound + shift..<parameter.bytes.upperBound + shift
            parameters.append(Parameter(type: parameter.type, isNull: parameter.isNull, bytes: moved))
        }
    }

    /// The statement without its values: what a cache may keep.
    var withoutValues: SQL {
        var shape = self
        shape.bytes = []
        shape.mentions = []
        return shape
    }

    private mutating func addNull(_ type: PostgresType) {
        parameters.append(Parameter(type: type, isNull: true, bytes: bytes.count..<bytes.count))
        bytes.append(0)
    }

    private mutating func addParameter<Value: PostgresEncodable>(_ value: Value) {
        let type = Value.postgresType
        let start = bytes.count
        value.encode(into: &bytes)
        let range = start..<bytes.count
        let isCutShort = type.isText && bytes[range].contains(0)
        if isCutShort || !type.isSendable, unsendableParameter == nil { unsendableParameter = parameters.count + 1 }
        parameters.append(Parameter(type: type, isNull: false, bytes: range))
        // libpq takes a text up to its NUL, and an empty value still needs an address.
        bytes.append(0)
    }

    private mutating func appendRenumbered(_ other: SQL, by shift: Int) {
        // Nothing is counted on: so it is where limits, three statements deep, begin with one another.
        guard shift > 0, !other.mentions.isEmpty else {
            let start = text.utf8.count
            text += other.text
            for mention in other.mentions {
                mentions.append(Mention(offset: start + mention.offset, number: mention.number))
            }
            return
        }
        var start = other.text.utf8.startIndex
        for mention in other.mentions {
            let dollar = other.text.utf8.index(other.text.utf8.startIndex, offsetBy: mention.offset)
            text += other.text[start..<dollar]
            mentions.append(Mention(offset: text.utf8.count, number: mention.number + shift))
            text += "$"
            text += String(mention.number + shift)
            start = other.text.utf8.index(dollar, offsetBy: 1 + String(mention.number).utf8.count)
        }
        text += other.text[start...]
    }

    private static func mentions(in text: String) -> [Mention] {
        text.matches(of: /\$([1-9][0-9]{0,4})/).compactMap { match in
            guard let number = Int(match.1) else { return nil }
            let offset = text.utf8.distance(from: text.utf8.startIndex, to: match.range.lowerBound)
            return Mention(offset: offset, number: number)
        }
    }
}
