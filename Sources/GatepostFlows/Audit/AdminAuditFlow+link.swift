package import GatepostModel
package import GatepostStore

/// The file by the link in the mail, which works once.
extension AdminAuditFlow {
    /// What a download link leads to.
    package struct Download: Sendable {
        /// The exported app.
        package let app: AppRecord
        package let export: AuditExportRecord
    }

    /// Whether a link is one of a download at all, whatever became of it; other kinds have pages of their own.
    package func isDownload(_ link: OneTimeToken, in scope: AppScope) async throws -> Bool {
        guard scope.appID == .gatepost else { return false }
        return try await database.batch(in: scope) { $0.flowKind(link: link) } == .auditExportDownload
    }

    /// Looks at a download link; uses nothing up.
    ///
    /// - Parameters:
    ///   - link: What the mail's link carries.
    ///   - scope: The built-in app.
    /// - Returns: What it opens; nil if it may not be used: used up, expired, its user deactivated or without the right
    ///   to export, the file gone.
    /// - Throws: `PostgresError`.
    package func look(at link: OneTimeToken, in scope: AppScope) async throws -> Download? {
        let now = clock.now
        let standing = try await database.batch(in: scope) { batch in
            batch.standingAuditDownload(link: link, epochs: keys.epochs, at: now)
        }
        guard let standing else { return nil }
        let grants = try await database.batch(in: scope) { $0.adminGrants(of: standing.user) }
        guard grants.contains(where: { $0.allows(.auditExport, in: standing.app) }),
            let app = try await database.app(standing.app),
            let export = try await database.batch(in: app.scope, { $0.auditExport(standing.export, at: now) }),
            export.state == .finished
        else { return nil }
        return Download(app: app, export: export)
    }

    /// Uses a download link up, in one transaction with the event in the exported app's trail.
    ///
    /// Of any number of racing callers one gets the file; nil for the others, and where `look` finds nothing.
    package func redeem(
        _ link: OneTimeToken, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Download? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        guard let download = try await look(at: link, in: scope) else {
            return try await refuse(in: scope, occasion)
        }
        let isOurs = try await database.transaction(in: scope) { transaction in
            let consumed = try await transaction.batch { batch in
                batch.consumeAuditDownload(link: link, epochs: keys.epochs, at: occasion.now)
            }
            guard let consumed else { return false }
            let event = Self.downloaded(consumed.export, by: .admin(consumed.user), from: 0, occasion)
            try await transaction.within(download.app.scope) { transaction in
                try await transaction.batch { $0.record(event) }
            }
            return true
        }
        return isOurs ? download : try await refuse(in: scope, occasion)
    }

    private func refuse(in scope: AppScope, _ occasion: Occasion) async throws -> Download? {
        try await database.batch(in: scope) { batch in
            batch.record(
                occasion.event(.requestRefused, by: .anyone, reason: ProblemCode.invalidLink.rawValue))
        }
        return nil
    }
}
