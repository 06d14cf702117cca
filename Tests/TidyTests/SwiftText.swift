/// The lines of a Swift file in three layers: code, comments and the contents of string literals.
///
/// Each layer has every line; what belongs to another layer is left out. Not a parser: regular expressions between
/// slashes are taken for code.
struct SwiftText: Sendable {
    private(set) var code: [String] = [""]
    private(set) var comments: [String] = [""]
    private(set) var strings: [String] = [""]

    private enum Layer {
        case code
        /// Inside `\( … )`; how many parentheses are open.
        case interpolation(depth: Int)
        case lineComment
        case blockComment(depth: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private var layers: [Layer] = [.code]
    private var rest: ArraySlice<UInt8>
    private var lineCode: [UInt8] = []
    private var lineComment: [UInt8] = []
    private var lineString: [UInt8] = []

    init(_ text: String) {
        rest = Array(text.utf8)[...]
        (code, comments, strings) = ([], [], [])
        while let byte = rest.first {
            if !Self.special.contains(byte) { takePlain() } else { step(byte) }
        }
        endLine()
    }

    /// The bytes that may begin or end something.
    private static let special = Set("\n/*\"#\\()".utf8)

    /// Moves a run of other bytes, which is most of a file, at once.
    private mutating func takePlain() {
        let run = rest.prefix { !Self.special.contains($0) }
        switch layers.last ?? .code {
        case .code, .interpolation: lineCode += run
        case .lineComment, .blockComment: lineComment += run
        case .string: lineString += run
        }
        rest = rest[run.endIndex...]
    }

    private mutating func step(_ byte: UInt8) {
        guard byte != UInt8(ascii: "\n") else {
            endLine()
            rest = rest.dropFirst()
            return
        }
        switch layers.last ?? .code {
        case .code: stepCode(byte, depth: nil)
        case .interpolation(let depth): stepCode(byte, depth: depth)
        case .lineComment: take(1, into: \.lineComment)
        case .blockComment(let depth): stepBlockComment(depth)
        case .string(let hashes, let isMultiline): stepString(hashes, isMultiline)
        }
    }

    private mutating func stepCode(_ byte: UInt8, depth: Int?) {
        if starts("//") {
            layers.append(.lineComment)
        } else if starts("/*") {
            layers.append(.blockComment(depth: 1))
            take(2, into: \.lineComment)
        } else if let opening = stringOpening() {
            layers.append(.string(hashes: opening.hashes, isMultiline: opening.isMultiline))
            take(opening.length, into: \.lineCode)
        } else {
            if let depth, byte == UInt8(ascii: "(") {
                layers[layers.count - 1] = .interpolation(depth: depth + 1)
            } else if let depth, byte == UInt8(ascii: ")") {
                if depth == 1 {
                    layers.removeLast()
                } else {
                    layers[layers.count - 1] = .interpolation(depth: depth - 1)
                }
            }
            take(1, into: \.lineCode)
        }
    }

    private mutating func stepBlockComment(_ depth: Int) {
        if starts("/*") {
            layers[layers.count - 1] = .blockComment(depth: depth + 1)
            take(2, into: \.lineComment)
        } else if starts("*/") {
            if depth == 1 { layers.removeLast() } else { layers[layers.count - 1] = .blockComment(depth: depth - 1) }
            take(2, into: \.lineComment)
        } else {
            take(1, into: \.lineComment)
        }
    }

    private mutating func stepString(_ hashes: Int, _ isMultiline: Bool) {
        let escape = "\\" + String(repeating: "#", count: hashes)
        let closing = (isMultiline ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
        if starts(escape + "(") {
            layers.append(.interpolation(depth: 1))
            take(hashes + 2, into: \.lineCode)
        } else if starts(escape) {
            take(hashes + 2, into: \.lineString)
        } else if starts(closing) {
            layers.removeLast()
            take(closing.utf8.count, into: \.lineCode)
        } else {
            take(1, into: \.lineString)
        }
    }

    private func stringOpening() -> (hashes: Int, isMultiline: Bool, length: Int)? {
        let hashes = rest.prefix { $0 == UInt8(ascii: "#") }.count
        let quotes = rest.dropFirst(hashes)
        guard quotes.first == UInt8(ascii: "\"") else { return nil }
        let isMultiline = quotes.starts(with: "\"\"\"".utf8)
        return (hashes, isMultiline, hashes + (isMultiline ? 3 : 1))
    }

    private func starts(_ text: String) -> Bool {
        rest.starts(with: text.utf8)
    }

    /// Moves bytes to a layer, but never past the end of the line.
    private mutating func take(_ count: Int, into layer: WritableKeyPath<SwiftText, [UInt8]>) {
        let bytes = rest.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
        self[keyPath: layer] += bytes
        rest = rest.dropFirst(bytes.count)
    }

    private mutating func endLine() {
        code.append(String(decoding: lineCode, as: UTF8.self))
        comments.append(String(decoding: lineComment, as: UTF8.self))
        strings.append(String(decoding: lineString, as: UTF8.self))
        (lineCode, lineComment, lineString) = ([], [], [])
        switch layers.last {
        case .lineComment, .string(_, isMultiline: false): layers.removeLast()
        default: break
        }
    }
}
