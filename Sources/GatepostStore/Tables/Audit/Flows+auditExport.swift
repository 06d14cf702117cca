package import GatepostModel
import Postgres

/// A download link as its flow says: which export of which app it opens, and for whom.
package struct AuditDownloadLink: Sendable {
    package let flow: FlowID
    package let user: UserID
    package let app: AppID
    package let export: AuditExportID

    init(_ row: PostgresRow) throws {
        flow = try row.get("id")
        user = try row.get("user_id")
        app = try row.get("export_app_id")
        export = try row.get("export_id")
    }
}

/// What a new download link consists of.
package struct NewAuditDownload: Sendable {
    package let id: FlowID
    package let user: UserID
    package let app: AppID
    package let export: AuditExportID
    package let secrets: FlowSecrets
    /// Held by nobody: a download has no starter.
    package let token: OneTimeToken
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts a link together; its secrets are derived.
    package init(
        id: FlowID, user: UserID, app: AppID, export: AuditExportID, secrets: FlowSecrets, token: OneTimeToken,
        createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.user, self.app, self.export) = (id, user, app, export)
        (self.secrets, self.token, self.createdAt, self.expiresAt) = (secrets, token, createdAt, expiresAt)
    }
}

private let columns: SQL = "f.id, f.user_id, f.export_app_id, f.export_id"

extension AppBatch {
    /// Begins a download for an active user of the built-in app; nothing for anyone else.
    ///
    /// - Returns: The user's address, if it was begun.
    package mutating func insertAuditDownload(_ new: NewAuditDownload) -> BatchReading<String?> {
        read(
            """
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash,
                               link_hash, code_hash, export_app_id, export_id, created_at, expires_at)
            select u.app_id, \(new.id), \(FlowKind.auditExportDownload.rawValue), 'pending', u.id, u.email,
                   u.auth_epoch, \(new.secrets.epoch), \(new.token.hash), \(new.secrets.linkToken.hash),
                   \(new.secrets.codeHash(new.secrets.code.revealed)), \(new.app), \(new.export), \(new.createdAt),
                   \(new.expiresAt)
              from users as u
             where u.app_id = \(scope.appID) and u.id = \(new.user) and u.state = 'active'
            returning email
            """
        ) { try $0.first.map { try $0.get("email") } }
    }

    /// What kind of flow a link belongs to; nil if it was never sent.
    package mutating func flowKind(link: OneTimeToken) -> BatchReading<FlowKind?> {
        read("select kind from flows where app_id = \(scope.appID) and link_hash = \(link.hash)") {
            try $0.first.flatMap { FlowKind(rawValue: try $0.get("kind")) }
        }
    }

    /// The download behind a link that may still be used; reading it uses nothing up.
    package mutating func standingAuditDownload(
        link: OneTimeToken, epochs: [Int16], at now: Instant
    ) -> BatchReading<AuditDownloadLink?> {
        let standing = stands(link: link, epochs: epochs, at: now)
        return read("select \(columns) from flows as f join users as u on \(standing)") {
            try $0.first.map(AuditDownloadLink.init)
        }
    }

    /// Uses a download link up; nil if it may not be used, or another caller was first.
    ///
    /// One guarded update: of any number of racing callers one gets the row.
    package mutating func consumeAuditDownload(
        link: OneTimeToken, epochs: [Int16], at now: Instant
    ) -> BatchReading<AuditDownloadLink?> {
        read(
            """
            update flows as f set state = 'passed', ended_at = \(now)
              from users as u
             where \(stands(link: link, epochs: epochs, at: now))
            returning \(columns)
            """
        ) { try $0.first.map(AuditDownloadLink.init) }
    }

    /// The link waits, and its user still is who it was sent to.
    private func stands(link: OneTimeToken, epochs: [Int16], at now: Instant) -> SQL {
        """
        f.app_id = \(scope.appID) and f.link_hash = \(link.hash) and f.kind = \(FlowKind.auditExportDownload.rawValue)
        and f.state = 'pending' and f.expires_at > \(now) and f.secret_epoch = any (\(epochs))
        and u.app_id = f.app_id and u.id = f.user_id and u.state = 'active' and u.email = f.email
        and u.auth_epoch = f.auth_epoch
        """
    }
}
