/// What a route of the admin API asks for; each route names one.
package enum AdminPermission: String, Sendable, CaseIterable, Codable {
    case appsRead = "apps.read"
    case appsWrite = "apps.write"
    case clientsRead = "clients.read"
    /// Adding and changing clients, their secrets with them.
    case clientsWrite = "clients.write"
    case usersRead = "users.read"
    /// Deactivating and reactivating.
    case usersWrite = "users.write"
    case rolesRead = "roles.read"
    /// Making, changing and deleting the roles of an app's users; giving and taking them.
    case rolesWrite = "roles.write"
    case deliveriesRead = "deliveries.read"
    /// Resending, cancelling, holding, releasing and redriving.
    case deliveriesWrite = "deliveries.write"
    /// Listing and opening the mails of an app that captures them, with their secrets.
    case capturedMailsOpen = "captured_mails.open"
    case webhooksRead = "webhooks.read"
    case webhooksWrite = "webhooks.write"
    case providersRead = "providers.read"
    /// Adding, changing and deleting identity providers, their secrets with them.
    case providersWrite = "providers.write"
    case auditRead = "audit.read"
    /// Asking for an audit export, and fetching it.
    case auditExport = "audit.export"
    case adminsRead = "admins.read"
    /// Inviting admins, changing their roles, taking them away.
    case adminsWrite = "admins.write"
    case apiKeysRead = "api_keys.read"
    case apiKeysWrite = "api_keys.write"

    /// Whether nothing changes by it, and nothing is read that lets anybody in.
    package var onlyReads: Bool {
        switch self {
        case .appsRead, .clientsRead, .usersRead, .rolesRead, .deliveriesRead, .webhooksRead, .providersRead,
            .auditRead,
            .auditExport, .adminsRead, .apiKeysRead:
            true
        case .appsWrite, .clientsWrite, .usersWrite, .rolesWrite, .deliveriesWrite, .capturedMailsOpen, .webhooksWrite,
            .providersWrite, .adminsWrite, .apiKeysWrite:
            false
        }
    }
}

/// What an admin or an API key is, for one app or for all; each role is a set of permissions.
///
/// Few and fixed: an operator has to know by heart what a role opens. The table stands in docs/api.md.
package enum AdminRole: String, Sendable, CaseIterable, Codable {
    /// Everything, and the only role that makes other owners; always for all apps.
    case owner
    /// Everything but the admins themselves.
    case admin
    /// Helps users: finds them, sees what became of their mail, sends it again.
    case support
    /// Reads everything and exports the audit trail; changes nothing.
    case auditor

    /// What the role opens.
    package var permissions: Set<AdminPermission> {
        switch self {
        case .owner: Set(AdminPermission.allCases)
        case .admin: Set(AdminPermission.allCases).subtracting([.adminsWrite])
        case .support:
            [
                .appsRead, .clientsRead, .usersRead, .usersWrite, .rolesRead, .deliveriesRead, .deliveriesWrite,
                .webhooksRead, .providersRead,
            ]
        case .auditor:
            [
                .appsRead, .clientsRead, .usersRead, .rolesRead, .deliveriesRead, .webhooksRead, .providersRead,
                .auditRead, .auditExport, .adminsRead, .apiKeysRead,
            ]
        }
    }
}

/// A role that somebody has, for one app or for all.
package struct AdminGrant: Sendable, Hashable {
    package let role: AdminRole
    /// The app that it is for; nil for all apps and for what concerns none.
    package let app: AppID?

    /// States what somebody may do, and where.
    package init(_ role: AdminRole, in app: AppID?) {
        (self.role, self.app) = (role, app)
    }

    /// Whether it opens something in an app; nil asks for what concerns no app.
    package func allows(_ permission: AdminPermission, in app: AppID?) -> Bool {
        (self.app == nil || self.app == app) && role.permissions.contains(permission)
    }

    /// Whether whoever has this may give the other away: never more than they have themselves.
    package func covers(_ other: AdminGrant) -> Bool {
        (app == nil || app == other.app) && role.permissions.isSuperset(of: other.role.permissions)
    }
}
