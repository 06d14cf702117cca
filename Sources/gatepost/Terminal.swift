import ArgumentParser
import Foundation

/// How commands speak: tables for people, JSON for scripts, complaints on standard error.
///
/// Names and texts that others have chosen are printed here, and a terminal obeys what it prints: it can be told to
/// change its title, to show another line than the one that is there, to turn what follows around. So whatever steers
/// one is written out, `\u{1b}`, in all that is printed; in JSON as JSON does it.
enum Terminal {
    /// Prints one line.
    static func say(_ line: String = "") {
        write(line.visible)
    }

    /// Prints to standard error; of more lines than one, each by itself.
    static func complain(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line).visible
        }
        FileHandle.standardError.write(Data("gatepost: \(lines.joined(separator: "\n"))\n".utf8))
    }

    private static func write(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// Prints JSON, in which an encoder has escaped only what JSON demands; what is left stands within texts.
    private static func write(json: Data) {
        let lines = String(decoding: json, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        write(lines.map { String($0).escaped(\.inJSON) }.joined(separator: "\n"))
    }

    /// Prints a value as JSON, keys sorted so that two runs can be compared.
    static func sayJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        write(json: try encoder.encode(value))
    }

    /// The same with names as they are: those of a token, which are its own.
    static func sayPlainJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        write(json: try encoder.encode(value))
    }

    /// Prints a value as JSON on one line, where one follows another.
    static func sayJSONLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        write(json: try encoder.encode(value))
    }

    /// Prints what was done to what: a line, or an object of one member for scripts.
    static func sayDone(_ word: String, _ target: some CustomStringConvertible, asJSON: Bool) throws {
        if asJSON { return try sayJSON([word.replacing(" ", with: "_"): target.description]) }
        say("\(word)  \(target)")
    }

    /// Prints rows under their headings, in columns.
    static func sayTable(_ headings: [String], _ rows: [[String]]) {
        let rows = rows.map { row in row.map(\.visible) }
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

extension String {
    /// The text with whatever steers a terminal written out.
    fileprivate var visible: String { escaped { "\\u{\(String($0.value, radix: 16))}" } }

    fileprivate func escaped(_ escape: (Unicode.Scalar) -> String) -> String {
        guard unicodeScalars.contains(where: \.steers) else { return self }
        return unicodeScalars.map { $0.steers ? escape($0) : String($0) }.joined()
    }
}

extension Unicode.Scalar {
    /// As JSON escapes it (RFC 8259, section 7); none of those that steer is above U+FFFF.
    fileprivate var inJSON: String { "\\u\(("000" + String(value, radix: 16)).suffix(4))" }

    /// Whether a terminal acts upon it instead of showing it: control characters (C0, DEL, C1), those that end a line,
    /// and those that set the direction of what follows.
    fileprivate var steers: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
