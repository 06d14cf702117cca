package import GatepostModel
import Postgres

extension AppTransaction {
    /// Takes a user for this transaction: whoever else changes what they have, waits.
    ///
    /// - Returns: Whether the app has such a user.
    /// - Throws: `PostgresError`.
    package func lockUser(_ id: UserID) async throws -> Bool {
        try await query("select id from users where app_id = \(scope.appID) and id = \(id) for no key update").count
            == 1
    }
}

extension AppBatch {
    /// Gives a user a role.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func assignRole(_ role: RoleID, to user: UserID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            insert into user_roles (app_id, user_id, role_id, assigned_at)
            values (\(scope.appID), \(user), \(role), \(now))
            on conflict do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// Takes a role from a user.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func unassignRole(_ role: RoleID, from user: UserID) -> BatchReading<Bool> {
        read(
            "delete from user_roles where app_id = \(scope.appID) and user_id = \(user) and role_id = \(role)"
        ) { $0.affectedCount == 1 }
    }
}
