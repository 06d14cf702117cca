package import GatepostModel
import Postgres

/// Where in an export's parts a byte of the file lies.
package struct AuditPartPlace: Sendable, Hashable {
    package let number: Int32
    /// Where the part begins in the file.
    package let byteOffset: Int64
}

extension AppTransaction {
    /// Moves an export on, with the bytes that belong to the events passed, if there are any.
    ///
    /// Guarded by where the export was read: of two workers that made the same part, one gets it in.
    ///
    /// - Parameters:
    ///   - export: As it was read.
    ///   - bytes: The next bytes of the file; empty where the filter fits none of the events passed.
    ///   - rowCount: How many events are in them.
    ///   - position: The last event that was passed.
    /// - Returns: False if somebody else has moved it on meanwhile; then nothing was written.
    /// - Throws: `PostgresError`.
    package func advanceAuditExport(
        _ export: AuditExportRecord, with bytes: [UInt8], rowCount: Int, to position: AuditPosition
    ) async throws -> Bool {
        let moved = try await query(
            """
            update audit_exports
               set position_transaction_id = \(position.transactionID), position_event_id = \(position.eventID),
                   part_count = part_count + \(Int32(bytes.isEmpty ? 0 : 1)), row_count = row_count + \(rowCount),
                   byte_count = byte_count + \(bytes.count)
             where app_id = \(scope.appID) and id = \(export.id) and \(export.isUnmoved)
            """)
        guard moved.affectedCount == 1 else { return false }
        guard !bytes.isEmpty else { return true }
        _ = try await query(
            """
            insert into audit_export_parts (app_id, export_id, number, byte_offset, bytes)
            values (\(scope.appID), \(export.id), \(export.partCount), \(export.byteCount), \(bytes))
            """)
        return true
    }
}

extension AppBatch {
    /// The bytes of one part; nil if it is not there.
    package mutating func auditExportPart(_ number: Int32, of export: AuditExportID) -> BatchReading<[UInt8]?> {
        read(
            """
            select bytes from audit_export_parts
             where app_id = \(scope.appID) and export_id = \(export) and number = \(number)
            """
        ) { try $0.first.map { try $0.get("bytes") } }
    }

    /// The part that holds a byte of the file; nil if there is none.
    package mutating func auditExportPlace(
        ofByte offset: Int64, of export: AuditExportID
    ) -> BatchReading<AuditPartPlace?> {
        read(
            """
            select number, byte_offset from audit_export_parts
             where app_id = \(scope.appID) and export_id = \(export) and byte_offset <= \(offset)
             order by number desc
             limit 1
            """
        ) { try $0.first.map { AuditPartPlace(number: try $0.get("number"), byteOffset: try $0.get("byte_offset")) } }
    }
}
