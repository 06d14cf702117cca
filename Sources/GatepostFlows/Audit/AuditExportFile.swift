import FoundationEssentials
import GatepostModel
import GatepostStore

/// Writes events as the lines of an export's file; the same events make the same bytes, however they are cut.
struct AuditExportFile {
    /// The columns of a CSV file, in this order for ever: programs read them by place.
    static let columns = [
        "id", "created_at", "kind", "actor_kind", "actor_id", "user_id", "client_id", "session_id", "flow_id", "reason",
        "ip", "user_agent", "details",
    ]

    let format: AuditExportFormat
    private(set) var bytes: [UInt8] = []
    private let encoder = JSONEncoder()

    init(_ format: AuditExportFormat) {
        self.format = format
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// What the file begins with: the names of a CSV's columns, nothing in NDJSON.
    mutating func appendHeader() {
        if format == .csv { append(cells: Self.columns) }
    }

    /// One event, one line.
    mutating func append(_ event: AuditEventRecord) throws {
        switch format {
        case .ndjson:
            bytes += try encoder.encode(event)
            bytes.append(UInt8(ascii: "\n"))
        case .csv:
            let details = String(decoding: try encoder.encode(event.details), as: UTF8.self)
            append(cells: [
                event.id.description, event.createdAt.description, event.kind, event.actorKind, event.actorID ?? "",
                event.userID?.description ?? "", event.clientID?.description ?? "",
                event.sessionID?.description ?? "", event.flowID?.description ?? "", event.reason ?? "",
                event.ip ?? "", event.userAgent ?? "", details,
            ])
        }
    }

    /// A record of RFC 4180; its lines end in CR LF.
    private mutating func append(cells: [String]) {
        for (position, cell) in cells.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            append(cell: Array(cell.utf8))
        }
        bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    /// One cell, quoted where it must be.
    ///
    /// A spreadsheet takes a cell for a formula by its first character, whatever the quotes, and a formula can send
    /// what stands beside it elsewhere. An apostrophe in front makes it text (OWASP, CSV injection). A user agent is
    /// a stranger's text.
    private mutating func append(cell: [UInt8]) {
        let formula: [UInt8] = Array("=+-@\t\r".utf8)
        let text = cell.first.map(formula.contains) == true ? [UInt8(ascii: "'")] + cell : cell
        let quote = UInt8(ascii: "\"")
        guard text.contains(where: { $0 == quote || $0 == 0x2C || $0 == 0x0D || $0 == 0x0A }) else {
            bytes += text
            return
        }
        bytes.append(quote)
        for byte in text {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
    }
}
