package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What admins do with an app's audit trail: read it, have it made into a file, fetch the file.
package struct AdminAuditFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let signal: OutboxSignal

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing,
        signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.signal) = (keys, signal)
    }

    /// One page of the trail, newest first, as far back as the app keeps it.
    package func events(
        _ filter: AuditFilter, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [AuditEventRecord] {
        let kept = filter.from(clock.now - scope.settings.auditHistoryLife)
        return try await database.batch(in: scope) { $0.auditEvents(kept, after: cursor, limit: limit) }
    }

    /// One page of the exports whose time is not over, newest first.
    package func exports(
        after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [AuditExportRecord] {
        try await database.batch(in: scope) { $0.auditExports(after: cursor, limit: limit, at: clock.now) }
    }

    /// One export; nil if the app has none of this id, or its time is over.
    package func export(_ id: AuditExportID, in scope: AppScope) async throws -> AuditExportRecord? {
        try await database.batch(in: scope) { $0.auditExport(id, at: clock.now) }
    }

    /// Begins an export and owes the first message of its chain.
    ///
    /// The range ends at the request's moment unless it ends before; it never ends later, because what has not happened
    /// yet cannot be whole.
    ///
    /// - Parameters:
    ///   - format: How the file is written.
    ///   - filter: Which events.
    ///   - request: Who asks.
    ///   - scope: The app.
    /// - Returns: The export's id, or why not.
    /// - Throws: `PostgresError`.
    package func begin(
        _ format: AuditExportFormat, _ filter: AuditFilter, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<AuditExportID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let new = NewAuditExport(
            id: occasion.id(), format: format, filter: filter, until: filter.until ?? occasion.now,
            principal: request.principal, createdAt: occasion.now, expiresAt: occasion.now + Lifetimes.auditExport)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, new.id, occasion) {
                guard new.until <= occasion.now else {
                    return Refusal(.invalidRequest, detail: "until lies in the future.")
                }
                guard filter.since.map({ $0 < new.until }) ?? true else {
                    return Refusal(.invalidRequest, detail: "since must lie before until.")
                }
                guard try await transaction.batch({ $0.insertAuditExport(new) }) else {
                    return Refusal(
                        .conflict,
                        detail: "\(AuditExportLimits.runningMax) exports of this app are under way already.")
                }
                var event = occasion.event(.auditExportRequested, by: request.actor)
                event.details = ["export": "\(new.id)", "format": format.rawValue]
                let requested = event
                try await transaction.batch { batch in
                    batch.enqueue(
                        AuditExportPart(of: new.id).message(
                            id: occasion.id(), at: occasion.now, expiresAt: new.expiresAt))
                    batch.record(requested)
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    /// The bytes of a file from one of them on, part by part, each when it is asked for.
    ///
    /// - Parameters:
    ///   - offset: The first byte wanted.
    ///   - export: A finished export.
    ///   - scope: Its app.
    ///   - write: Takes the bytes; the next part is read when it has returned.
    /// - Throws: `FileGone` if a part is not there any more, or what `write` throws.
    package func read(
        from offset: Int64, of export: AuditExportRecord, in scope: AppScope,
        _ write: ([UInt8]) async throws -> Void
    ) async throws {
        guard offset < export.byteCount else { return }
        let place = try await database.batch(in: scope) { $0.auditExportPlace(ofByte: offset, of: export.id) }
        guard let place else { throw FileGone() }
        var skipped = Int(offset - place.byteOffset)
        for number in place.number..<export.partCount {
            guard let bytes = try await database.batch(in: scope, { $0.auditExportPart(number, of: export.id) })
            else { throw FileGone() }
            try await write(skipped > 0 ? Array(bytes.dropFirst(skipped)) : bytes)
            skipped = 0
        }
    }

    /// A part of a file was deleted while it was read: its time was over.
    package struct FileGone: Error {}

    /// Records that a file is fetched, before its first byte goes out.
    package func recordDownload(
        of export: AuditExportRecord, from offset: Int64, by principal: AdminPrincipal, in scope: AppScope,
        _ origin: RequestOrigin
    ) async throws {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let event = Self.downloaded(export.id, by: AuditEvent.Actor(principal), from: offset, occasion)
        try await database.batch(in: scope) { $0.record(event) }
    }

    static func downloaded(
        _ export: AuditExportID, by actor: AuditEvent.Actor, from offset: Int64, _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(.auditExportDownloaded, by: actor)
        event.details = ["export": "\(export)"]
        if offset > 0 { event.details["from_byte"] = "\(offset)" }
        return event
    }
}
