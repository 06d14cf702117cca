/// How the file of an audit export is written.
package enum AuditExportFormat: String, Sendable, CaseIterable, Codable {
    /// One JSON object a line.
    case ndjson
    /// RFC 4180, safe to open in a spreadsheet.
    case csv
}
