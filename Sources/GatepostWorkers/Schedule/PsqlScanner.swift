/// Splits SQL as psql does, as far as it takes to know where a variable may stand and where a statement ends.
///
/// The rules are those of psql's lexer (src/fe_utils/psqlscan.l): no variable within a literal, a quoted identifier,
/// a dollar quote or a comment; `::` is a cast; a colon before anything but a name is itself.
struct PsqlScanner {
    /// A piece of the text, in which nothing else begins.
    struct Token {
        enum Kind {
            case space
            case comment
            /// A keyword or a plain identifier.
            case word
            /// `:name` or `:'name'`.
            case variable(String, isQuoted: Bool)
            /// A semicolon.
            case end
            /// A literal, a quoted identifier, an operator.
            case other
        }

        let kind: Kind
        let bytes: ArraySlice<UInt8>
        /// Where it begins, counted from 1.
        let line: Int
    }

    /// The line that has been reached.
    private(set) var line: Int

    private let bytes: [UInt8]
    private let place: JobFileError.Place
    private var position = 0

    /// Starts at the beginning of a text.
    init(_ text: String, line: Int, place: JobFileError.Place) {
        bytes = Array(text.utf8)
        self.line = line
        self.place = place
    }

    /// The next piece; nil at the end of the text.
    mutating func next() throws(JobFileError) -> Token? {
        guard position < bytes.count else { return nil }
        let (start, startLine) = (position, line)
        let kind = try scan()
        let piece = bytes[start..<position]
        line += piece.count { $0 == UInt8(ascii: "\n") }
        return Token(kind: kind, bytes: piece, line: startLine)
    }

    private mutating func scan() throws(JobFileError) -> Token.Kind {
        switch bytes[position] {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            position += 1
            return .space
        case UInt8(ascii: "-") where follows("-", at: 1):
            position = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            return .comment
        case UInt8(ascii: "/") where follows("*", at: 1):
            try skipBlockComment()
            return .comment
        case UInt8(ascii: "'"):
            try skipQuoted(by: UInt8(ascii: "'"), hasEscapes: false, "literal")
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            guard follows("'", at: 1) else { return word() }
            position += 1
            try skipQuoted(by: UInt8(ascii: "'"), hasEscapes: true, "literal")
        case UInt8(ascii: "\""):
            try skipQuoted(by: UInt8(ascii: "\""), hasEscapes: false, "quoted identifier")
        case UInt8(ascii: "$"):
            try skipDollarQuote()
        case UInt8(ascii: ":"):
            return try colon()
        case UInt8(ascii: ";"):
            position += 1
            return .end
        case UInt8(ascii: "\\"):
            throw place.error(line, .metaCommand)
        case let byte where Self.startsWord(byte):
            return word()
        default:
            position += 1
        }
        return .other
    }

    private mutating func word() -> Token.Kind {
        position = bytes[position...].firstIndex { !Self.continuesWord($0) } ?? bytes.count
        return .word
    }

    /// A cast, an assignment, a variable, or a colon that is only itself, as in `[1:2]`.
    private mutating func colon() throws(JobFileError) -> Token.Kind {
        if follows(":", at: 1) || follows("=", at: 1) {
            position += 2
            return .other
        }
        if follows("\"", at: 1) { throw place.error(line, .identifierVariable) }
        if follows("{", at: 1) { throw place.error(line, .metaCommand) }
        let isQuoted = follows("'", at: 1)
        let start = position + (isQuoted ? 2 : 1)
        guard start < bytes.count, Self.startsWord(bytes[start]) else {
            position += 1
            return .other
        }
        let end = bytes[start...].firstIndex { !Self.continuesVariable($0) } ?? bytes.count
        if isQuoted {
            guard end < bytes.count, bytes[end] == UInt8(ascii: "'") else {
                throw place.error(line, .unclosed("parameter"))
            }
        }
        position = isQuoted ? end + 1 : end
        return .variable(String(decoding: bytes[start..<end], as: UTF8.self), isQuoted: isQuoted)
    }

    private mutating func skipQuoted(
        by quote: UInt8, hasEscapes: Bool, _ name: String
    ) throws(JobFileError) {
        position += 1
        while position < bytes.count {
            if hasEscapes, bytes[position] == UInt8(ascii: "\\") {
                position += 2
            } else if bytes[position] != quote {
                position += 1
            } else if position + 1 < bytes.count, bytes[position + 1] == quote {
                position += 2
            } else {
                position += 1
                return
            }
        }
        throw place.error(line, .unclosed(name))
    }

    /// Comments nest, unlike those of C.
    private mutating func skipBlockComment() throws(JobFileError) {
        var depth = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "/"), follows("*", at: 1) {
                depth += 1
                position += 2
            } else if bytes[position] == UInt8(ascii: "*"), follows("/", at: 1) {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                position += 1
            }
        }
        throw place.error(line, .unclosed("comment"))
    }

    /// `$tag$ … $tag$`; a dollar sign and a number would be taken for a parameter.
    private mutating func skipDollarQuote() throws(JobFileError) {
        let afterDollar = position + 1
        if afterDollar < bytes.count, (48...57).contains(bytes[afterDollar]) {
            throw place.error(line, .positionalParameter)
        }
        let tagEnd = bytes[afterDollar...].firstIndex { !Self.continuesVariable($0) } ?? bytes.count
        guard tagEnd < bytes.count, bytes[tagEnd] == UInt8(ascii: "$") else {
            position += 1
            return
        }
        let tag = bytes[position...tagEnd]
        var start = tagEnd + 1
        while start + tag.count <= bytes.count {
            if bytes[start..<start + tag.count] == tag {
                position = start + tag.count
                return
            }
            start += 1
        }
        throw place.error(line, .unclosed("dollar quote"))
    }

    private func follows(_ character: Unicode.Scalar, at offset: Int) -> Bool {
        position + offset < bytes.count && bytes[position + offset] == UInt8(ascii: character)
    }

    private static func startsWord(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func continuesVariable(_ byte: UInt8) -> Bool {
        startsWord(byte) || (48...57).contains(byte)
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        continuesVariable(byte) || byte == UInt8(ascii: "$")
    }
}
