package import GatepostModel
import Postgres

/// A client's secret as a list shows it; the secret itself is nowhere.
package struct ClientSecretRecord: Sendable {
    package let id: ClientSecretID
    /// The first characters of the secret, so that one found somewhere can be told.
    package let prefix: String
    package let createdAt: Instant
    /// When it ends because it was replaced; nil for the current one.
    package let expiresAt: Instant?

    init(_ row: PostgresRow) throws {
        (id, prefix) = (try row.get("id"), try row.get("prefix"))
        (createdAt, expiresAt) = (try row.get("created_at"), try row.get("expires_at"))
    }

    /// How much of a secret a list shows: the purpose and 48 of its 256 bits.
    static let prefixLength = 12
}

/// A secret that was made just now: the only time that it is shown.
package struct NewClientSecret: Sendable {
    package let id: ClientSecretID
    package let token: OneTimeToken

    /// Puts a secret together.
    package init(id: ClientSecretID, token: OneTimeToken) {
        (self.id, self.token) = (id, token)
    }
}

extension AppBatch {
    /// Writes a client's secret; only its hash and its first characters are kept.
    package mutating func insertClientSecret(_ new: NewClientSecret, of client: ClientID, at now: Instant) {
        add(
            """
            insert into client_secrets (app_id, id, client_id, prefix, secret_hash, created_at)
            values (\(scope.appID), \(new.id), \(client),
                    \(String(new.token.secret.revealed.prefix(ClientSecretRecord.prefixLength))), \(new.token.hash),
                    \(now))
            """)
    }

    /// Lets the current secret of a client expire; one that was being replaced already is dead at once.
    ///
    /// So at most two live: the new one, which is to be written next, and the one before it.
    package mutating func replaceClientSecret(of client: ClientID, expiresAt: Instant) {
        add(
            """
            delete from client_secrets
             where app_id = \(scope.appID) and client_id = \(client)
               and (expires_at is not null or revoked_at is not null)
            """)
        add(
            """
            update client_secrets set expires_at = \(expiresAt)
             where app_id = \(scope.appID) and client_id = \(client)
            """)
    }

    /// Revokes a secret.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func revokeClientSecret(
        _ id: ClientSecretID, of client: ClientID, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update client_secrets set revoked_at = \(now)
             where app_id = \(scope.appID) and id = \(id) and client_id = \(client) and revoked_at is null
            """
        ) { $0.affectedCount == 1 }
    }

    /// The secrets of a client that work now, the newest first.
    package mutating func liveClientSecrets(
        of client: ClientID, at now: Instant
    ) -> BatchReading<[ClientSecretRecord]> {
        read(
            """
            select id, prefix, created_at, expires_at from client_secrets
             where app_id = \(scope.appID) and client_id = \(client) and \(Self.works(at: now))
             order by created_at desc, id desc
            """
        ) { try $0.map(ClientSecretRecord.init) }
    }

    /// The hashes of the same: to be compared in constant time, and not by a search for the one that was presented.
    package mutating func liveClientSecretHashes(of client: ClientID, at now: Instant) -> BatchReading<[[UInt8]]> {
        read(
            """
            select secret_hash from client_secrets
             where app_id = \(scope.appID) and client_id = \(client) and \(Self.works(at: now))
            """
        ) { try $0.map { try $0.get("secret_hash") } }
    }

    private static func works(at now: Instant) -> SQL {
        "revoked_at is null and (expires_at is null or expires_at > \(now))"
    }
}
