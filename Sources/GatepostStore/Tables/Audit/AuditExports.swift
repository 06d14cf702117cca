package import GatepostModel
import Postgres

/// Where an export stands.
package enum AuditExportState: String, Sendable, Codable {
    case running, finished, failed
}

/// An export as its row says.
package struct AuditExportRecord: Sendable {
    package let id: AuditExportID
    package let state: AuditExportState
    /// Why it failed.
    package let reason: String?
    package let format: AuditExportFormat
    package let filter: AuditFilter
    /// Who asked, in text form.
    package let requestedBy: String
    /// The user of the built-in app who is told when it is finished; nil for an operator's key.
    package let person: UserID?
    /// The transaction that asked: events of later ones are not in the file.
    package let horizon: UInt64
    /// How far the file is.
    package let position: AuditPosition
    package let partCount: Int32
    package let rowCount: Int64
    package let byteCount: Int64
    /// SHA-256 of the whole file, once it is finished.
    package let fileHash: [UInt8]?
    package let createdAt: Instant
    package let finishedAt: Instant?
    package let expiresAt: Instant
    /// Whether every transaction that had begun before the request has ended, as of this read.
    package let isSettled: Bool

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        state = AuditExportState(rawValue: try row.get("state")) ?? .failed
        reason = try row.get("reason")
        format = AuditExportFormat(rawValue: try row.get("format")) ?? .ndjson
        filter = AuditFilter(
            user: try row.get("user_id"), kinds: try row.get("kinds"), since: try row.get("since_at"),
            until: try row.get("until_at"))
        requestedBy =
            try row.get("actor_kind", as: String.self) == "api_key"
            ? row.get("actor_id", as: APIKeyID.self).description : row.get("actor_id", as: UserID.self).description
        person = try row.get("person_id")
        horizon = try row.get("horizon_id")
        position = AuditPosition(
            transactionID: try row.get("position_transaction_id"), eventID: try row.get("position_event_id"))
        partCount = try row.get("part_count")
        rowCount = try row.get("row_count")
        byteCount = try row.get("byte_count")
        fileHash = try row.get("file_hash")
        createdAt = try row.get("created_at")
        finishedAt = try row.get("finished_at")
        expiresAt = try row.get("expires_at")
        isSettled = try row.get("is_settled")
    }
}

/// What a new export consists of.
package struct NewAuditExport: Sendable {
    package let id: AuditExportID
    package let format: AuditExportFormat
    package let filter: AuditFilter
    package let until: Instant
    package let principal: AdminPrincipal
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts an export together.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - format: How the file is written.
    ///   - filter: Which events; its end may be left out.
    ///   - until: The end of the range.
    ///   - principal: Who asks.
    ///   - createdAt: When.
    ///   - expiresAt: The end of the file.
    package init(
        id: AuditExportID, format: AuditExportFormat, filter: AuditFilter, until: Instant, principal: AdminPrincipal,
        createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.format, self.filter, self.until) = (id, format, filter, until)
        (self.principal, self.createdAt, self.expiresAt) = (principal, createdAt, expiresAt)
    }
}

/// How many exports an app may have under way at a time.
package enum AuditExportLimits {
    /// Each is a chain of messages that reads the whole trail.
    package static let runningMax = 5
}

private let columns: SQL = """
    x.id, x.state, x.reason, x.format, x.user_id, x.kinds, x.since_at, x.until_at, x.actor_kind, x.actor_id,
    x.person_id, x.horizon_id, x.position_transaction_id, x.position_event_id, x.part_count, x.row_count,
    x.byte_count, x.file_hash, x.created_at, x.finished_at, x.expires_at,
    pg_snapshot_xmin(pg_current_snapshot()) >= x.horizon_id as is_settled
    """

extension AppBatch {
    /// Begins an export, unless too many are under way.
    ///
    /// The horizon is this very transaction's id. The snapshot's xmax would not do: it is one past the last transaction
    /// that has *ended*, and running ones lie beyond it.
    ///
    /// - Returns: Whether it was begun.
    package mutating func insertAuditExport(_ new: NewAuditExport) -> BatchReading<Bool> {
        let actor = AuditEvent.Actor(new.principal)
        return read(
            """
            insert into audit_exports (app_id, id, state, format, user_id, kinds, since_at, until_at, actor_kind,
                                       actor_id, person_id, horizon_id, position_transaction_id, position_event_id,
                                       part_count, row_count, byte_count, created_at, expires_at)
            select \(scope.appID), \(new.id), 'running', \(new.format.rawValue), \(new.filter.user),
                   \(new.filter.kinds), \(new.filter.since), \(new.until), \(actor.kind), \(actor.id),
                   \(new.principal.person), pg_current_xact_id(), \(AuditPosition.start.transactionID),
                   \(AuditPosition.start.eventID), 0, 0, 0, \(new.createdAt), \(new.expiresAt)
             where (select count(*) from audit_exports
                     where app_id = \(scope.appID) and state = 'running' and expires_at > \(new.createdAt))
                   < \(AuditExportLimits.runningMax)
            """
        ) { $0.affectedCount == 1 }
    }

    /// One export; nil if the app has none of this id, or its time is over.
    package mutating func auditExport(_ id: AuditExportID, at now: Instant) -> BatchReading<AuditExportRecord?> {
        read(
            """
            select \(columns) from audit_exports as x
             where x.app_id = \(scope.appID) and x.id = \(id) and x.expires_at > \(now)
            """
        ) { try $0.first.map(AuditExportRecord.init) }
    }

    /// Exports whose time is not over, newest first.
    package mutating func auditExports(
        after cursor: PageCursor?, limit: Int, at now: Instant
    ) -> BatchReading<[AuditExportRecord]> {
        let further: SQL = cursor.map { "and (x.created_at, x.id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns) from audit_exports as x
             where x.app_id = \(scope.appID) and x.expires_at > \(now) \(further)
             order by x.created_at desc, x.id desc
             limit \(limit)
            """
        ) { try $0.map(AuditExportRecord.init) }
    }
}

extension AppTransaction {
    /// Finishes an export whose file is whole; false if somebody else has moved it on meanwhile.
    package func finishAuditExport(
        _ export: AuditExportRecord, fileHash: [UInt8], at now: Instant
    ) async throws -> Bool {
        try await query(
            """
            update audit_exports set state = 'finished', file_hash = \(fileHash), finished_at = \(now)
             where app_id = \(scope.appID) and id = \(export.id) and \(export.isUnmoved)
            """
        ).affectedCount == 1
    }

    /// Ends an export whose file cannot be made; false if somebody else has moved it on meanwhile.
    package func failAuditExport(
        _ export: AuditExportRecord, reason: String, at now: Instant
    ) async throws -> Bool {
        try await query(
            """
            update audit_exports set state = 'failed', reason = \(reason), finished_at = \(now)
             where app_id = \(scope.appID) and id = \(export.id) and \(export.isUnmoved)
            """
        ).affectedCount == 1
    }
}

extension AuditExportRecord {
    /// The condition that it still is where it was read.
    var isUnmoved: SQL {
        """
        state = 'running' and part_count = \(partCount) and position_transaction_id = \(position.transactionID)
        and position_event_id = \(position.eventID)
        """
    }
}
