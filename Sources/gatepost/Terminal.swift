import ArgumentParser
import Foundation

/// How commands speak: tables for people, JSON for scripts, complaints on standard error.
enum Terminal {
    /// Prints one line.
    static func say(_ line: String = "") {
        print(line)
        fflush(nil)
    }

    /// Prints to standard error.
    static func complain(_ line: String) {
        FileHandle.standardError.write(Data("gatepost: \(line)\n".utf8))
    }

    /// Prints a value as JSON, keys sorted so that two runs can be compared.
    static func sayJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// The same with names as they are: those of a token, which are its own.
    static func sayPlainJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Prints a value as JSON on one line, where one follows another.
    static func sayJSONLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Prints what was done to what: a line, or an object of one member for scripts.
    static func sayDone(_ word: String, _ target: some CustomStringConvertible, asJSON: Bool) throws {
        if asJSON { return try sayJSON([word.replacing(" ", with: "_"): target.description]) }
        say("\(word)  \(target)")
    }

    /// Prints rows under their headings, in columns.
    static func sayTable(_ headings: [String], _ rows: [[String]]) {
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        for row in [headings] + rows {
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            say(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    /// Prints a list as JSON or as a table.
    static func sayList<Row: Encodable>(
        _ rows: [Row], asJSON: Bool, headings: [String], columns: (Row) -> [String]
    ) throws {
        if asJSON { try sayJSON(rows) } else { sayTable(headings, rows.map(columns)) }
    }
}

/// `--json`, for every command that prints data or says what it did.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON instead of a table.")
    var json = false
}
