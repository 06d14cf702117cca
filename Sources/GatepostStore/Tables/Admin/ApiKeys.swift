package import GatepostModel
import Postgres

/// An API key as a list shows it; the key itself is nowhere.
package struct APIKeyRecord: Sendable {
    package let id: APIKeyID
    package let name: String
    /// The first characters of the key, so that one found somewhere can be told.
    package let prefix: String
    package let grant: AdminGrant
    /// The admin who made it; nil for one that an operator made.
    package let madeBy: UserID?
    package let createdAt: Instant
    package let expiresAt: Instant
    package let revokedAt: Instant?

    init?(_ row: PostgresRow) throws {
        guard let grant = try AdminGrant(row) else { return nil }
        self.grant = grant
        id = try row.get("id")
        name = try row.get("name")
        prefix = try row.get("prefix")
        madeBy = try row.get("user_id")
        createdAt = try row.get("created_at")
        expiresAt = try row.get("expires_at")
        revokedAt = try row.get("revoked_at")
    }
}

/// What a new API key consists of.
package struct NewAPIKey: Sendable {
    package let id: APIKeyID
    package let token: OneTimeToken
    package let name: String
    package let grant: AdminGrant
    package let madeBy: UserID?
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts a key together.
    package init(
        id: APIKeyID, token: OneTimeToken, name: String, grant: AdminGrant, madeBy: UserID?, createdAt: Instant,
        expiresAt: Instant
    ) {
        (self.id, self.token, self.name, self.grant) = (id, token, name, grant)
        (self.madeBy, self.createdAt, self.expiresAt) = (madeBy, createdAt, expiresAt)
    }

    /// How much of a key a list shows: the purpose and 48 of its 256 bits.
    static let prefixLength = 12
}

private let columns: SQL = """
    k.id, k.name, k.prefix, k.role, k.target_app_id, k.user_id, k.created_at, k.expires_at, k.revoked_at
    """

extension AppBatch {
    /// Writes a key; only its hash and its first characters are kept.
    package mutating func insertAPIKey(_ key: NewAPIKey) {
        add(
            """
            insert into api_keys (app_id, id, name, prefix, key_hash, role, target_app_id, user_id, created_at,
                                  expires_at)
            values (\(scope.appID), \(key.id), \(key.name),
                    \(String(key.token.secret.revealed.prefix(NewAPIKey.prefixLength))), \(key.token.hash),
                    \(key.grant.role.rawValue), \(key.grant.app), \(key.madeBy), \(key.createdAt), \(key.expiresAt))
            """)
    }

    /// One key, whatever became of it; nil if there is none.
    package mutating func apiKey(_ id: APIKeyID) -> BatchReading<APIKeyRecord?> {
        read("select \(columns) from api_keys as k where k.app_id = \(scope.appID) and k.id = \(id)") {
            try $0.first.flatMap(APIKeyRecord.init)
        }
    }

    /// Keys, newest first.
    ///
    /// - Parameters:
    ///   - apps: Only keys for one of these apps; nil for all keys.
    ///   - cursor: Where the page before ended.
    ///   - limit: How many at most.
    /// - Returns: The keys.
    package mutating func apiKeys(
        of apps: [AppID]?, after cursor: PageCursor? = nil, limit: Int
    ) -> BatchReading<[APIKeyRecord]> {
        let ofApps: SQL = apps.map { "and k.target_app_id = any (\($0))" } ?? ""
        let further: SQL = cursor.map { "and (k.created_at, k.id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns) from api_keys as k
             where k.app_id = \(scope.appID) \(ofApps) \(further)
             order by k.created_at desc, k.id desc
             limit \(limit)
            """
        ) { try $0.compactMap(APIKeyRecord.init) }
    }

    /// Revokes a key.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func revokeAPIKey(_ id: APIKeyID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            update api_keys set revoked_at = \(now)
             where app_id = \(scope.appID) and id = \(id) and revoked_at is null
            """
        ) { $0.affectedCount == 1 }
    }

    /// The key that was presented, if it may be used now: not expired, not revoked, its maker still an active user.
    package mutating func liveAPIKey(_ token: OneTimeToken, at now: Instant) -> BatchReading<APIKeyRecord?> {
        read(
            """
            select \(columns)
              from api_keys as k
              left join users as u on u.app_id = k.app_id and u.id = k.user_id
             where k.app_id = \(scope.appID) and k.key_hash = \(token.hash)
               and k.expires_at > \(now) and k.revoked_at is null
               and (k.user_id is null or u.state = 'active')
            """
        ) { try $0.first.flatMap(APIKeyRecord.init) }
    }
}
