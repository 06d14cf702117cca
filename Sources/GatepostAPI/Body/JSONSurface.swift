import GatepostModel

/// Looks over a JSON text for what Foundation's decoder lets pass, before that decoder sees it.
///
/// Refused: invalid UTF-8, NUL, more than 16 levels, a comma before a closing bracket, and a member that comes twice,
/// where two readers of one document may believe different values (RFC 8259, section 4). The rest of the grammar is
/// the decoder's matter.
struct JSONSurface {
    private static let spaces: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

    private let bytes: [UInt8]
    private var position = 0
    /// The names seen in each open object; nil for an array.
    private var open: [Set<ArraySlice<UInt8>>?] = []
    private var names: [String] = []
    private var isAfterComma = false

    /// The names of the outermost object's members, in order.
    static func memberNames(of bytes: [UInt8]) throws -> [String] {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Problem(.malformedJSON, detail: "The body is not UTF-8.")
        }
        var surface = JSONSurface(bytes: bytes)
        try surface.scan()
        return surface.names
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func scan() throws {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "{"): try enter([])
            case UInt8(ascii: "["): try enter(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard !isAfterComma else { throw Problem(.malformedJSON) }
                _ = open.popLast()
            case UInt8(ascii: "\""): try string()
            case 0: throw Problem(.malformedJSON)
            default: break
            }
            if !Self.spaces.contains(byte) { isAfterComma = byte == UInt8(ascii: ",") }
        }
    }

    private mutating func enter(_ names: Set<ArraySlice<UInt8>>?) throws {
        guard open.count < ServerLimits.jsonDepthMax else {
            throw Problem(.malformedJSON, detail: "The body nests more than \(ServerLimits.jsonDepthMax) levels deep.")
        }
        open.append(names)
    }

    /// Reads to the closing quote; a string before a colon is a member's name.
    private mutating func string() throws {
        let start = position
        var hasEscape = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") {
                hasEscape = true
                if bytes[position...].starts(with: Array(#"\u0000"#.utf8)) {
                    throw Problem(.invalidRequest, detail: "A text has a NUL in it.")
                }
                position += 1
            }
            if position < bytes.count, bytes[position] == 0 { throw Problem(.malformedJSON) }
            position += 1
        }
        let content = bytes[start..<min(position, bytes.count)]
        position += 1
        guard isBeforeColon, let innermost = open.indices.last, open[innermost] != nil else { return }
        try name(content, hasEscape: hasEscape, at: innermost)
    }

    private mutating func name(_ content: ArraySlice<UInt8>, hasEscape: Bool, at innermost: Int) throws {
        // No name that is known here needs an escape; without them, equal names have equal bytes.
        guard !hasEscape else {
            throw Problem(.unknownField, detail: "Names are written without escapes.")
        }
        guard open[innermost]?.insert(content).inserted == true else {
            throw Problem(.malformedJSON, detail: "A field comes twice.")
        }
        if innermost == 0 { names.append(String(decoding: content, as: UTF8.self)) }
    }

    private var isBeforeColon: Bool {
        bytes.dropFirst(position).first { !Self.spaces.contains($0) } == UInt8(ascii: ":")
    }
}
