/// A message or a part of one: header fields and a body (RFC 5322, RFC 2045, RFC 2046).
///
/// Reads what we send ourselves: folded fields, nested multiparts, base64 and quoted-printable. It is no mail client;
/// comments in structured fields, for example, are not understood.
struct MIMEPart: Sendable {
    /// How deep parts may be nested, and how many leaves there may be; the rest is ignored.
    static let depthMax = 5
    static let leavesMax = 50

    /// The fields in order: unfolded, not decoded.
    let headers: [(name: String, value: String)]
    /// The body as it stands in the message.
    let body: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        var lines = LineCutter(bytes)
        var headers: [(name: String, value: String)] = []
        while let line = lines.next(), !line.isEmpty {
            let text = String(decoding: line, as: UTF8.self)
            if text.first == " " || text.first == "\t" {
                // Unfolding takes out the line break and nothing else (RFC 5322, section 2.2.3).
                if !headers.isEmpty { headers[headers.count - 1].value += text }
            } else if let colon = text.firstIndex(of: ":") {
                headers.append((String(text[..<colon]), text[text.index(after: colon)...].trimmed))
            }
        }
        self.headers = headers
        body = lines.rest
    }

    /// The first field of this name, in whatever case.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The type and subtype in lower case; plain text unless the part says otherwise (RFC 2045, section 5.2).
    var mediaType: String {
        let field = header("Content-Type") ?? ""
        let type = field.prefix { $0 != ";" }.trimmed.lowercased()
        return type.isEmpty ? "text/plain" : type
    }

    /// The parts that hold no others, in order.
    func leaves() -> [MIMEPart] {
        var found: [MIMEPart] = []
        collectLeaves(into: &found, depth: 0)
        return found
    }

    /// The body as text, with the transfer encoding and the character set taken off.
    var text: String {
        let bytes = TransferEncoding.decode(body, encoding: header("Content-Transfer-Encoding") ?? "7bit")
        return CharacterSetName.decode(bytes, parameter("charset") ?? "utf-8")
    }

    /// A parameter of the content type, without its quotes.
    func parameter(_ name: String) -> String? {
        let parameters = (header("Content-Type") ?? "").split(separator: ";").dropFirst()
        for parameter in parameters {
            let halves = parameter.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, halves[0].trimmed.lowercased() == name else { continue }
            let value = halves[1].trimmed
            return value.hasPrefix("\"") && value.hasSuffix("\"") ? String(value.dropFirst().dropLast()) : value
        }
        return nil
    }

    private func collectLeaves(into found: inout [MIMEPart], depth: Int) {
        guard found.count < Self.leavesMax else { return }
        guard mediaType.hasPrefix("multipart/"), depth < Self.depthMax, let boundary = parameter("boundary") else {
            return found.append(self)
        }
        for part in parts(boundary: boundary) { part.collectLeaves(into: &found, depth: depth + 1) }
    }

    /// Cuts the body at the lines that are `--boundary` (RFC 2046, section 5.1.1).
    private func parts(boundary: String) -> [MIMEPart] {
        let delimiter = Array("--\(boundary)".utf8)
        let end = delimiter + Array("--".utf8)
        var parts: [MIMEPart] = []
        var partBegin: Int?
        var lines = LineCutter(body)
        while let line = lines.next() {
            // White space may follow the boundary.
            let mark = line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            guard mark.elementsEqual(delimiter) || mark.elementsEqual(end) else { continue }
            if let begin = partBegin { parts.append(MIMEPart(body[begin..<line.startIndex].withoutLastLineBreak)) }
            partBegin = lines.rest.startIndex
            if mark.elementsEqual(end) { return parts }
        }
        // No end: the message was cut off, and the last part with it.
        if let begin = partBegin { parts.append(MIMEPart(body[begin...])) }
        return parts
    }
}

/// Takes lines from the front, without their CR LF or LF.
private struct LineCutter {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let lineFeed = rest.firstIndex(of: UInt8(ascii: "\n"))
        let line = rest[rest.startIndex..<(lineFeed ?? rest.endIndex)]
        rest = lineFeed.map { rest[($0 + 1)...] } ?? []
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}

extension ArraySlice<UInt8> {
    /// The line break before a boundary belongs to the boundary.
    fileprivate var withoutLastLineBreak: ArraySlice<UInt8> {
        guard last == UInt8(ascii: "\n") else { return self }
        let cut = dropLast()
        return cut.last == UInt8(ascii: "\r") ? cut.dropLast() : cut
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
