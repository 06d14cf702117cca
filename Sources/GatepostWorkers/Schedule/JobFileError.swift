/// What is wrong with a job file, and in which line.
package struct JobFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of mistakes.
    package enum Reason: Hashable, Sendable {
        case nameNotKebabCase
        case tooLong
        case notUTF8
        case headerIncomplete
        case notAKeyLine
        case nowDeclared
        case missingKey(String)
        case duplicateKey(String)
        case malformedValue(String, String)
        case schedule(CronError)
        case noStatement
        case noSemicolon
        case secondStatement
        case unclosed(String)
        case metaCommand
        case identifierVariable
        case positionalParameter
        case undeclaredParameter(String)
        case unusedParameter(String)
        case notANumber(String)
    }

    /// The file's name, with `.sql`.
    package let file: String

    /// Counted from 1.
    package let line: Int

    /// The first mistake that was found; reading ends there.
    package let reason: Reason

    /// Says what is wrong where.
    package init(file: String, line: Int, reason: Reason) {
        (self.file, self.line, self.reason) = (file, line, reason)
    }

    package var description: String { "\(file):\(line): \(reason)" }

    /// The file that errors are about while it is read.
    struct Place {
        let file: String

        func error(_ line: Int, _ reason: Reason) -> JobFileError {
            JobFileError(file: file, line: line, reason: reason)
        }
    }
}

extension JobFileError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nameNotKebabCase: "the name is not two words or more in kebab case"
        case .tooLong: "the file is longer than \(JobFile.bytesMax) bytes"
        case .notUTF8: "the file is not UTF-8"
        case .headerIncomplete: "the header needs a sentence, the reason, and a paragraph of 'key: value' lines"
        case .notAKeyLine: "the header's last paragraph holds 'key: value' lines and nothing else"
        case .nowDeclared: "'now' comes from the runner"
        case .missingKey(let key): "the header does not state '\(key)'"
        case .duplicateKey(let key): "'\(key)' is stated twice"
        case .malformedValue(let key, let expected): "'\(key)' is not \(expected)"
        case .schedule(let error): "\(error)"
        case .noStatement: "there is no statement"
        case .noSemicolon: "the statement does not end with a semicolon"
        case .secondStatement: "there is something after the statement; a job is one statement"
        case .unclosed(let what): "the \(what) that begins here is not closed"
        case .metaCommand: "a psql command is no SQL"
        case .identifierVariable: "a parameter cannot stand for an identifier"
        case .positionalParameter: "parameters are written :name, not $1"
        case .undeclaredParameter(let name): "parameter '\(name)' is used, but the header does not state it"
        case .unusedParameter(let name): "parameter '\(name)' is stated, but the statement does not use it"
        case .notANumber(let name): "without quotes, parameter '\(name)' has to be a whole number"
        }
    }
}
