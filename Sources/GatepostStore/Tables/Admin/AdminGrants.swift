package import GatepostModel
import Postgres

extension AdminGrant {
    /// Reads the columns `role` and `target_app_id`.
    ///
    /// A role that this version does not know opens nothing.
    init?(_ row: PostgresRow) throws {
        guard let role = AdminRole(rawValue: try row.get("role")) else { return nil }
        self.init(role, in: try row.get("target_app_id"))
    }
}

/// An admin: a user of the built-in app with what they may do.
package struct AdminRecord: Sendable {
    package let user: UserRecord
    package let grants: [AdminGrant]
}

extension AppBatch {
    /// What a user of the built-in app may do; nothing if they are no admin, or deactivated.
    package mutating func adminGrants(of user: UserID) -> BatchReading<[AdminGrant]> {
        read(
            """
            select g.role, g.target_app_id
              from admin_grants as g
              join users as u on u.app_id = g.app_id and u.id = g.user_id
             where g.app_id = \(scope.appID) and g.user_id = \(user) and u.state = 'active'
            """
        ) { try $0.compactMap(AdminGrant.init) }
    }

    /// Admins with all that they may do, the newest user first.
    ///
    /// - Parameters:
    ///   - only: One of them; nil for all.
    ///   - cursor: Where the page before ended.
    ///   - limit: How many at most.
    /// - Returns: The admins.
    package mutating func admins(
        only: UserID? = nil, after cursor: PageCursor? = nil, limit: Int
    ) -> BatchReading<[AdminRecord]> {
        let one: SQL = only.map { "and u.id = \($0)" } ?? ""
        let further: SQL = cursor.map { "and (u.created_at, u.id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select u.id, u.email_entered, u.email_verified_at, u.state, u.auth_epoch, u.created_at, u.deactivated_at,
                   g.role, g.target_app_id
              from (select u.* from users as u
                     where u.app_id = \(scope.appID) \(one) \(further)
                       and exists (select from admin_grants as a where a.app_id = u.app_id and a.user_id = u.id)
                     order by u.created_at desc, u.id desc
                     limit \(limit)) as u
              join admin_grants as g on g.app_id = u.app_id and g.user_id = u.id
             order by u.created_at desc, u.id desc, g.created_at, g.id
            """
        ) { rows in
            var admins: [AdminRecord] = []
            for row in rows {
                let grant = try AdminGrant(row).map { [$0] } ?? []
                if let last = admins.last, last.user.id == (try row.get("id", as: UserID.self)) {
                    admins[admins.count - 1] = AdminRecord(user: last.user, grants: last.grants + grant)
                } else {
                    admins.append(AdminRecord(user: try UserRecord(row), grants: grant))
                }
            }
            return admins
        }
    }

    /// Gives a user a role for an app or for all, in place of the one that they have there.
    package mutating func setAdminGrant(_ grant: AdminGrant, of user: UserID, id: AdminGrantID, at now: Instant) {
        add(
            """
            insert into admin_grants as g (app_id, id, user_id, role, target_app_id, created_at)
            values (\(scope.appID), \(id), \(user), \(grant.role.rawValue), \(grant.app), \(now))
            on conflict (app_id, user_id, coalesce(target_app_id, app_id)) do update set role = excluded.role
            """)
    }

    /// Takes away the role that a user has for an app; nil for the one for all.
    ///
    /// - Returns: Whether there was one.
    package mutating func deleteAdminGrant(of user: UserID, for app: AppID?) -> BatchReading<Bool> {
        read(
            """
            delete from admin_grants
             where app_id = \(scope.appID) and user_id = \(user) and target_app_id is not distinct from \(app)
            """
        ) { $0.affectedCount == 1 }
    }
}

extension AppTransaction {
    /// Locks the owners until this transaction ends, and says who of them can sign in.
    ///
    /// Whatever takes an owner away, or a right from an admin, begins with this: the rows are locked in one order, and
    /// read by a second statement, which sees what whoever held the locks has committed. So of two owners who remove
    /// each other at one moment the second one finds that nobody would be left.
    package func lockOwners() async throws -> Set<UserID> {
        _ = try await query(
            """
            select id from admin_grants where app_id = \(scope.appID) and role = 'owner' order by id for update
            """)
        let rows = try await query(
            """
            select g.user_id
              from admin_grants as g
              join users as u on u.app_id = g.app_id and u.id = g.user_id
             where g.app_id = \(scope.appID) and g.role = 'owner' and u.state = 'active'
            """)
        return Set(try rows.map { try $0.get("user_id", as: UserID.self) })
    }
}
