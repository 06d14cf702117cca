import GatepostFlows
package import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird
import Synchronization

/// A route of the admin API and the permission that it asks for.
package struct AdminRoute: Sendable, Hashable {
    package let method: String
    /// With `{app}` and the like in it.
    package let path: String
    package let permission: AdminPermission
    /// Where it must be held.
    package let reach: AdminReach

    /// What the route asks for in addition where the app of its path is the built-in one; nil for nothing.
    ///
    /// The users of the built-in app are the admins. Whoever changes the app, its clients, its identity providers or
    /// its users, or reads a mail to them, can sign in as one of them: that is a change of who has which rights.
    package var builtInPermission: AdminPermission? {
        path.contains("{app}") && !permission.onlyReads ? .adminsWrite : nil
    }

    /// Whether somebody may use it.
    ///
    /// - Parameters:
    ///   - principal: Who asks.
    ///   - app: The app of the path; nil where the path names none.
    /// - Returns: Whether they hold what it asks for.
    func isOpen(to principal: AdminPrincipal, in app: AppID?) -> Bool {
        if app == .gatepost, let builtInPermission, !principal.may(builtInPermission, in: nil) { return false }
        return switch reach {
        case .here: principal.may(permission, in: app)
        case .anywhere: principal.maySomewhere(permission)
        }
    }
}

/// Where a permission must be held.
package enum AdminReach: Sendable {
    /// In the app of the path; where the path names none, in all apps.
    case here
    /// In at least one app: the handler shows only what is theirs.
    case anywhere
}

/// The admin routes of a server, collected as they are mounted: documents and tests read them.
final class AdminRouteTable: Sendable {
    private let collected = Mutex<[AdminRoute]>([])

    var routes: [AdminRoute] { collected.withLock { $0.sorted { ($0.path, $0.method) < ($1.path, $1.method) } } }

    func add(_ route: AdminRoute) {
        collected.withLock { $0.append(route) }
    }
}

/// Where admin routes are mounted: each names its permission, and no handler runs without it.
struct AdminGroup {
    let prefix: String
    let group: RouterGroup<AdminRequestContext>
    let table: AdminRouteTable
    let refusal: RefusalFlow

    /// Mounts a route.
    func on(
        _ method: HTTPRequest.Method, _ path: String, _ permission: AdminPermission, _ reach: AdminReach = .here,
        use handler: @escaping @Sendable (Request, AdminRequestContext) async throws -> some ResponseGenerator
    ) {
        let isOfApp = prefix.contains("{app}")
        let route = AdminRoute(method: method.rawValue, path: prefix + path, permission: permission, reach: reach)
        table.add(route)
        group.on(RouterPath(path), method: method) { [refusal] request, context in
            guard route.isOpen(to: context.principal, in: isOfApp ? context.app.scope.appID : nil) else {
                // A refused authorisation is recorded whatever the method, and with who it was (OWASP ASVS 16.3.2).
                let code = ProblemCode.permissionDenied
                try await refusal.record(
                    code, by: .init(context.principal), in: context.scope, from: context.origin(of: request))
                throw Problem(Refusal(code))
            }
            return try await handler(request, context)
        }
    }
}

extension AppMount {
    /// A group of admin routes.
    ///
    /// - Parameters:
    ///   - path: Where it begins; with `{app}` its routes are about that app, else about all.
    ///   - access: What authenticates.
    ///   - table: Collects the routes.
    /// - Returns: The group, to which the routes are added.
    func adminGroup(_ path: String, access: AdminAccessFlow, table: AdminRouteTable) -> AdminGroup {
        let group = router.group(RouterPath(path))
            .add(middleware: AppResolver(database: database, appOfOtherPaths: path.contains("{app}") ? nil : .gatepost))
            .add(middleware: RefusalRecorder(flow: refusal))
            .add(middleware: AdminResolver(flow: access))
            .group(context: AdminRequestContext.self)
        return AdminGroup(prefix: path, group: group, table: table, refusal: refusal)
    }
}
