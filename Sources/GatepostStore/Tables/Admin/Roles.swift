package import GatepostModel
import Postgres

/// A role of an app's users as its row says.
package struct RoleRecord: Sendable {
    package let id: RoleID
    package let name: String
    package let description: String
    package let permissions: [String]
    /// Whether whoever has it proves a second factor.
    package let requiresFactor: Bool
    package let createdAt: Instant
    package let changedAt: Instant

    init(_ row: PostgresRow) throws {
        (id, name, description) = (try row.get("id"), try row.get("name"), try row.get("description"))
        (permissions, requiresFactor) = (try row.get("permissions"), try row.get("requires_factor"))
        (createdAt, changedAt) = (try row.get("created_at"), try row.get("changed_at"))
    }
}

private let columns: SQL = "r.id, r.name, r.description, r.permissions, r.requires_factor, r.created_at, r.changed_at"

extension AppBatch {
    /// Lets one transaction at a time change the app's roles: two could otherwise both see the last free place.
    package mutating func lockRoles() {
        add("select pg_advisory_xact_lock(hashtextextended('roles ' || \(scope.appID)::uuid::text, 0))")
    }

    /// Roles of the app, oldest first.
    package mutating func roles(
        after cursor: PageCursor? = nil, limit: Int = RoleContent.rolesMax
    ) -> BatchReading<[RoleRecord]> {
        let further: SQL = cursor.map { "and (r.created_at, r.id) > (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns) from roles as r
             where r.app_id = \(scope.appID) \(further)
             order by r.created_at, r.id
             limit \(limit)
            """
        ) { try $0.map(RoleRecord.init) }
    }

    /// One role; nil if the app has none of this id.
    package mutating func role(_ id: RoleID) -> BatchReading<RoleRecord?> {
        read("select \(columns) from roles as r where r.app_id = \(scope.appID) and r.id = \(id)") {
            try $0.first.map(RoleRecord.init)
        }
    }

    /// Writes a role.
    package mutating func insertRole(_ id: RoleID, _ content: RoleContent, at now: Instant) {
        add(
            """
            insert into roles (app_id, id, name, description, permissions, requires_factor, created_at, changed_at)
            values (\(scope.appID), \(id), \(content.name), \(content.description), \(content.permissions),
                    \(content.requiresFactor), \(now), \(now))
            """)
    }

    /// Replaces what a role is called and permits.
    package mutating func changeRole(_ id: RoleID, _ content: RoleContent, at now: Instant) {
        add(
            """
            update roles set name = \(content.name), description = \(content.description),
                             permissions = \(content.permissions), requires_factor = \(content.requiresFactor),
                             changed_at = \(now)
             where app_id = \(scope.appID) and id = \(id)
            """)
    }

    /// Deletes a role; whoever has it has it no more.
    package mutating func deleteRole(_ id: RoleID) {
        add("delete from roles where app_id = \(scope.appID) and id = \(id)")
    }

    /// The roles that a user has, by name.
    package mutating func roles(of user: UserID) -> BatchReading<[RoleRecord]> {
        read(
            """
            select \(columns)
              from user_roles as m
              join roles as r on r.app_id = m.app_id and r.id = m.role_id
             where m.app_id = \(scope.appID) and m.user_id = \(user)
             order by r.name
            """
        ) { try $0.map(RoleRecord.init) }
    }

    /// The columns with which a token of a session `s` says what the app's settings let it say of its user.
    func toldColumns() -> SQL {
        let claims: SQL = """
            , (select w.claims from users as w where w.app_id = s.app_id and w.id = s.user_id) as user_claims
            """
        return "\(scope.settings.rolesInTokens == true ? roleColumns : "") \(scope.settings.tellsClaims ? claims : "")"
    }

    private var roleColumns: SQL {
        """
        , array(select r.name
                  from user_roles as m
                  join roles as r on r.app_id = m.app_id and r.id = m.role_id
                 where m.app_id = s.app_id and m.user_id = s.user_id
                 order by r.name) as role_names,
        array(select distinct permission
                from user_roles as m
                join roles as r on r.app_id = m.app_id and r.id = m.role_id
               cross join unnest(r.permissions) as permission
               where m.app_id = s.app_id and m.user_id = s.user_id
               order by permission) as role_permissions
        """
    }

    /// What those columns say.
    static func told(_ row: PostgresRow, in scope: AppScope) throws -> ToldClaims {
        let settings = scope.settings
        return ToldClaims(
            roles: settings.rolesInTokens == true
                ? RoleClaims(roles: try row.get("role_names"), permissions: try row.get("role_permissions")) : nil,
            own: settings.tellsClaims ? try CustomClaims(json: try row.get("user_claims")) : .none, settings: settings)
    }
}
