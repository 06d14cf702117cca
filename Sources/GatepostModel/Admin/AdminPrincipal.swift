/// Who asks something of the admin API, and what they may do; made only by authentication or at the command line.
package struct AdminPrincipal: Sendable, Hashable {
    /// Who it is.
    package enum Identity: Sendable, Hashable {
        /// A user of the built-in app.
        case admin(UserID)
        /// A program, with the admin who made its key; nil for one that an operator made.
        case apiKey(APIKeyID, madeBy: UserID?)
        /// Somebody at the command line, who reaches the database and the keys anyway.
        case `operator`
    }

    /// Somebody at the command line: they may do everything.
    package static let `operator` = AdminPrincipal(.operator, grants: [AdminGrant(.owner, in: nil)])

    /// Who it is.
    package let identity: Identity
    /// What they may do, and where.
    package let grants: [AdminGrant]

    /// Takes what authentication has found out.
    package init(_ identity: Identity, grants: [AdminGrant]) {
        (self.identity, self.grants) = (identity, grants)
    }

    /// Whether they may do something in an app; nil asks for what concerns no app.
    package func may(_ permission: AdminPermission, in app: AppID?) -> Bool {
        grants.contains { $0.allows(permission, in: app) }
    }

    /// Whether they may do something in at least one app.
    package func maySomewhere(_ permission: AdminPermission) -> Bool {
        grants.contains { $0.role.permissions.contains(permission) }
    }

    /// Whether they may give this away.
    package func covers(_ grant: AdminGrant) -> Bool {
        grants.contains { $0.covers(grant) }
    }

    /// The person behind it, who gets the mail that a request causes; nil for an operator's key.
    package var person: UserID? {
        switch identity {
        case .admin(let user): user
        case .apiKey(_, let user): user
        case .operator: nil
        }
    }

    /// What tells one principal's idempotency keys from another's.
    package var text: String {
        switch identity {
        case .admin(let user): user.description
        case .apiKey(let key, _): key.description
        case .operator: "operator"
        }
    }
}
