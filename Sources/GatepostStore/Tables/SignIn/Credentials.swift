package import GatepostModel
import Postgres

/// What a sign-in by password needs to know of an address, read before the hash is computed.
package struct PasswordCredential: Sendable {
    package let userID: UserID
    /// Nil where the user has none yet, because the address waits to be verified.
    package let passwordHash: String?
    /// Changes with every new hash; 0 while there is none.
    package let version: Int32
    package let authEpoch: Int32
    package let isDeactivated: Bool

    init(_ row: PostgresRow) throws {
        userID = try row.get("id")
        passwordHash = try row.get("password_hash")
        version = try row.get("version")
        authEpoch = try row.get("auth_epoch")
        isDeactivated = try row.get("is_deactivated")
    }
}

extension AppBatch {
    /// The password of an address; nil for an unknown one.
    package mutating func passwordCredential(of email: EmailAddress) -> BatchReading<PasswordCredential?> {
        read(
            """
            select u.id, u.auth_epoch, u.state = 'deactivated' as is_deactivated, coalesce(c.version, 0) as version,
                   c.password_hash
              from users as u
              left join credentials as c on c.app_id = u.app_id and c.user_id = u.id and c.kind = 'password'
             where u.app_id = \(scope.appID) and u.email = \(email.canonical)
            """
        ) { try $0.first.map(PasswordCredential.init) }
    }

    /// Sets a user's password, the first or another.
    package mutating func setPassword(_ passwordHash: String, of user: UserID, at now: Instant) {
        add(
            """
            insert into credentials as c (app_id, user_id, kind, password_hash, version, created_at, changed_at)
            values (\(scope.appID), \(user), 'password', \(passwordHash), 1, \(now), \(now))
            on conflict (app_id, user_id, kind) do update
               set password_hash = excluded.password_hash, version = c.version + 1, changed_at = excluded.changed_at
            """)
    }

    /// Replaces a hash by a stronger one of the same password, unless the password was changed meanwhile.
    package mutating func replaceHash(_ passwordHash: String, of user: UserID, version: Int32) {
        add(
            """
            update credentials set password_hash = \(passwordHash)
             where app_id = \(scope.appID) and user_id = \(user) and kind = 'password' and version = \(version)
            """)
    }
}
