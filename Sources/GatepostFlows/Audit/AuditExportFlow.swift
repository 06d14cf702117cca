package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Makes the file of an audit export, one step a message: a part, or the end.
///
/// What is exported never changes, so it is read and written down outside any transaction. One short transaction then
/// settles the message, adds the part, moves the position on from where it was read, and owes the next message: all or
/// nothing, wherever the worker dies.
package struct AuditExportFlow: Sendable {
    /// Events that one step looks at; with their usual 400 bytes a mebibyte.
    package static let pageRowsMax = 2500
    /// Bytes at which a part is full; it ends with the line that crosses it.
    package static let partBytesMax = 1 << 20

    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let signal: OutboxSignal
    let hashes = AuditExportHashes()

    /// Wires the flow; the signal wakes the worker for the next message.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing,
        signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.signal) = (keys, signal)
    }

    /// What a step came to.
    package enum Step: Sendable {
        /// The message is settled, by this step or by another worker.
        case settled
        /// A transaction that began before the request is still running.
        case waitsForWriters
        /// The file is larger than can be hashed in one go.
        case waitsToHash
        /// There is no such export under way.
        case gone
    }

    /// Somebody else moved the export on between this step's read and its write.
    private struct Overtaken: Error {}

    /// Takes one step.
    ///
    /// - Parameters:
    ///   - message: The message that asks for it; settled here.
    ///   - export: Of which export.
    ///   - scope: Its app.
    ///   - hashingMax: How long it may hash.
    /// - Returns: What it came to.
    /// - Throws: `PostgresError`; then nothing was written.
    package func step(
        _ message: ClaimedMessage, of export: AuditExportID, in scope: AppScope, hashingAtMost hashingMax: Duration
    ) async throws -> Step {
        let now = clock.now
        // Whether all writers have ended is read before the page: the page then sees no fewer rows than that says.
        guard let export = try await database.batch(in: scope, { $0.auditExport(export, at: now) }),
            export.state == .running
        else { return .gone }
        // Counted back from the request, so that every part of a file has the same beginning.
        let kept = export.filter.from(export.createdAt - scope.settings.auditHistoryLife)
        let rows = try await database.batch(in: scope) { batch in
            batch.auditPage(after: export.position, before: export.horizon, kept, limit: Self.pageRowsMax)
        }
        var file = AuditExportFile(export.format)
        if export.partCount == 0 { file.appendHeader() }
        var (position, rowCount) = (export.position, 0)
        for row in rows {
            position = row.position
            guard let event = row.event else { continue }
            try file.append(event)
            rowCount += 1
            if file.bytes.count >= Self.partBytesMax { break }
        }
        if rows.isEmpty {
            guard export.isSettled else { return .waitsForWriters }
            // An empty CSV file has a header all the same.
            if file.bytes.isEmpty { return try await finish(export, message, in: scope, hashingAtMost: hashingMax) }
        }
        // Only a header says nothing yet: it goes with the first events, or when it is clear that there are none.
        let bytes = rowCount == 0 && !rows.isEmpty ? [] : file.bytes
        try await write(bytes, rowCount: rowCount, to: position, of: export, message, in: scope)
        return .settled
    }

    private func write(
        _ bytes: [UInt8], rowCount: Int, to position: AuditPosition, of export: AuditExportRecord,
        _ message: ClaimedMessage, in scope: AppScope
    ) async throws {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        try await database.transaction(in: scope) { transaction in
            guard try await transaction.settleLocally(message, at: occasion.now) else { return }
            let isMoved = try await transaction.advanceAuditExport(
                export, with: bytes, rowCount: rowCount, to: position)
            guard isMoved else { throw Overtaken() }
            try await transaction.enqueue(
                AuditExportPart(of: export.id).message(
                    id: occasion.id(), at: occasion.now, expiresAt: export.expiresAt))
        }
        signal.raise()
    }

    /// Hashes the file, and finishes it in one transaction with its event and the mail to whoever asked.
    private func finish(
        _ export: AuditExportRecord, _ message: ClaimedMessage, in scope: AppScope, hashingAtMost hashingMax: Duration
    ) async throws -> Step {
        guard let admins = try await database.scope(of: .gatepost) else { return .gone }
        let begun = clock.now
        var hash = hashes.take(export.id)
        while hash.next < export.partCount {
            let next = hash.next
            guard let bytes = try await database.batch(in: scope, { $0.auditExportPart(next, of: export.id) }) else {
                return try await fail(export, message, reason: "part_missing", in: scope)
            }
            hash.add(bytes)
            // At least one part each time, or a short time would never end.
            guard hash.next == export.partCount || clock.now - begun < hashingMax else {
                hashes.keep(hash, of: export.id)
                return .waitsToHash
            }
        }
        guard hash.byteCount == export.byteCount else {
            return try await fail(export, message, reason: "part_missing", in: scope)
        }
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let fileHash = hash.hash
        try await database.transaction(in: scope) { transaction in
            guard try await transaction.settleLocally(message, at: occasion.now) else { return }
            guard try await transaction.finishAuditExport(export, fileHash: fileHash, at: occasion.now) else {
                throw Overtaken()
            }
            var event = occasion.event(.auditExportFinished, by: .worker)
            event.details = [
                "export": "\(export.id)", "rows": "\(export.rowCount)", "bytes": "\(export.byteCount)",
                "sha256": fileHash.hexadecimal,
            ]
            let finished = event
            try await transaction.batch { $0.record(finished) }
            guard let person = export.person else { return }
            try await transaction.within(admins) { transaction in
                try await tell(person, of: export, scope.appID, occasion, in: transaction)
            }
        }
        signal.raise()
        return .settled
    }

    /// Owes the mail with the link, in the built-in app's scope; nobody who is not active is told.
    private func tell(
        _ person: UserID, of export: AuditExportRecord, _ app: AppID, _ occasion: Occasion,
        in transaction: AppTransaction
    ) async throws {
        let flow: FlowID = occasion.id()
        let expiresAt = min(occasion.now + Lifetimes.auditExportLink, export.expiresAt)
        let download = NewAuditDownload(
            id: flow, user: person, app: app, export: export.id,
            secrets: FlowSecrets(app: .gatepost, flow: flow, kind: .auditExportDownload, keys: keys),
            token: .make(.flow, random: random), createdAt: occasion.now, expiresAt: expiresAt)
        guard let address = try await transaction.batch({ $0.insertAuditDownload(download) }) else { return }
        let mail = AuditExportReadyMail(flow: flow, user: person, app: app, export: export.id)
        try await transaction.enqueue(
            mail.message(
                id: occasion.id(),
                recipientHash: EmailAddress(address).map { keys.recipientHash($0, in: .gatepost) },
                at: occasion.now, expiresAt: expiresAt - Lifetimes.mailMargin))
    }

    private func fail(
        _ export: AuditExportRecord, _ message: ClaimedMessage, reason: String, in scope: AppScope
    ) async throws -> Step {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        try await database.transaction(in: scope) { transaction in
            guard try await transaction.settleLocally(message, at: occasion.now) else { return }
            guard try await transaction.failAuditExport(export, reason: reason, at: occasion.now) else {
                throw Overtaken()
            }
            var event = occasion.event(.auditExportFailed, by: .worker, reason: reason)
            event.details = ["export": "\(export.id)"]
            let failed = event
            try await transaction.batch { $0.record(failed) }
        }
        return .settled
    }
}

extension [UInt8] {
    /// Two digits a byte, in lower case, as `sha256sum` prints it.
    package var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
