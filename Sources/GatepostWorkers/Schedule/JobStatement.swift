/// The statement of a job file, with psql's variables turned into parameters.
struct JobStatement: Sendable {
    /// One use of a variable.
    struct Variable: Sendable {
        let name: String
        /// Whether it was written `:'name'`, which psql replaces by a string literal.
        let isQuoted: Bool
        let line: Int
    }

    /// What the server gets, with `$1` to `$n`: each use has a number of its own, so that each may have its own type.
    let text: String

    /// The uses, `$1` first.
    let variables: [Variable]

    /// The words that are code: not those in comments, literals and quoted identifiers; in lower case.
    let words: Set<String>

    /// Reads the statement that begins in a line of a file.
    ///
    /// - Parameters:
    ///   - file: All of the file.
    ///   - line: Where the header has ended, counted from 1.
    ///   - place: What errors name.
    /// - Throws: The first mistake.
    init(_ file: String, from line: Int, in place: JobFileError.Place) throws(JobFileError) {
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(line - 1)
        var scanner = PsqlScanner(lines.joined(separator: "\n"), line: line, place: place)
        var text: [UInt8] = []
        var variables: [Variable] = []
        var words: Set<String> = []
        var isEnded = false
        while let token = try scanner.next() {
            switch token.kind {
            case .space:
                if !isEnded { text += token.bytes }
            case .comment:
                if !isEnded { text.append(UInt8(ascii: " ")) }
            case .end where !words.isEmpty && !isEnded:
                isEnded = true
            case _ where isEnded:
                throw place.error(token.line, .secondStatement)
            case .end:
                throw place.error(token.line, .noStatement)
            case .variable(let name, let isQuoted):
                variables.append(Variable(name: name, isQuoted: isQuoted, line: token.line))
                text += Array("$\(variables.count)".utf8)
            case .word:
                words.insert(String(decoding: token.bytes, as: UTF8.self).lowercased())
                text += token.bytes
            case .other:
                text += token.bytes
            }
        }
        guard !words.isEmpty else { throw place.error(scanner.line, .noStatement) }
        guard isEnded else { throw place.error(scanner.line, .noSemicolon) }
        self.text = String(decoding: text, as: UTF8.self)
        self.variables = variables
        self.words = words
    }
}
