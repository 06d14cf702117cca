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
}
