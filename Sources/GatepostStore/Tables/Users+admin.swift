package import GatepostModel
import Postgres

/// Which users of an app are asked for.
package struct UserFilter: Sendable, Hashable {
    /// Whether a user may sign in at all.
    package enum State: String, Sendable, CaseIterable {
        case active, deactivated
    }

    /// The beginning of the address, in lower case; nil for any.
    package let emailPrefix: String?
    /// Nil for any.
    package let state: State?

    /// States what is looked for.
    package init(emailPrefix: String? = nil, state: State? = nil) {
        (self.emailPrefix, self.state) = (emailPrefix?.lowercased(), state)
    }

    /// What tells a list of one filter from that of another.
    package var text: String { "\(state?.rawValue ?? "") \(emailPrefix ?? "")" }
}

/// A user with the sessions that live.
package struct UserDetail: Sendable {
    package let user: UserRecord
    package let sessions: [SessionRecord]
    /// The app's roles that they have.
    package let roles: [RoleRecord]
    /// What admins have noted for the app's own programs.
    package let claims: CustomClaims

    /// Puts together what was read in one moment.
    package init(user: UserRecord, sessions: [SessionRecord], roles: [RoleRecord], claims: CustomClaims) {
        (self.user, self.sessions, self.roles, self.claims) = (user, sessions, roles, claims)
    }
}

private let columns: SQL = "id, email_entered, email_verified_at, state, auth_epoch, created_at, deactivated_at"

extension AppBatch {
    /// One user; nil if the app has none of this id.
    package mutating func user(_ id: UserID) -> BatchReading<UserRecord?> {
        read("select \(columns) from users where app_id = \(scope.appID) and id = \(id)") {
            try $0.first.map(UserRecord.init)
        }
    }

    /// What admins have noted about a user; nothing for one who is not there.
    package mutating func claims(of id: UserID) -> BatchReading<CustomClaims> {
        read("select claims from users where app_id = \(scope.appID) and id = \(id)") { rows in
            try rows.first.map { try CustomClaims(json: try $0.get("claims")) } ?? .none
        }
    }

    /// Notes claims about a user in the place of all that there were.
    package mutating func setClaims(_ claims: CustomClaims, of id: UserID) {
        add("update users set claims = \(claims.json)::jsonb where app_id = \(scope.appID) and id = \(id)")
    }

    /// Users, newest first.
    ///
    /// The search compares byte by byte: under row-level security only leakproof operators reach an index.
    package mutating func users(
        _ filter: UserFilter, after cursor: PageCursor?, limit: Int
    ) -> BatchReading<[UserRecord]> {
        let found: SQL =
            filter.emailPrefix.map { prefix in
                """
                and email collate "C" >= \(prefix) and email collate "C" < \(prefix + "\u{7F}")
                """
            } ?? ""
        let ofState: SQL = filter.state.map { "and state = \($0.rawValue)" } ?? ""
        let further: SQL = cursor.map { "and (created_at, id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns) from users
             where app_id = \(scope.appID) \(found) \(ofState) \(further)
             order by created_at desc, id desc
             limit \(limit)
            """
        ) { try $0.map(UserRecord.init) }
    }

    /// Deactivates an active user and raises the epoch: whatever carries the older one is dead at once.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func deactivateUser(_ id: UserID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            update users set state = 'deactivated', deactivated_at = \(now), auth_epoch = auth_epoch + 1
             where app_id = \(scope.appID) and id = \(id) and state = 'active'
            """
        ) { $0.affectedCount == 1 }
    }

    /// Makes a deactivated user active again.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func reactivateUser(_ id: UserID) -> BatchReading<Bool> {
        read(
            """
            update users set state = 'active', deactivated_at = null
             where app_id = \(scope.appID) and id = \(id) and state = 'deactivated'
            """
        ) { $0.affectedCount == 1 }
    }
}
