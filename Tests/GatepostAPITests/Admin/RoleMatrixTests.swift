import Curl
import Foundation
import GatepostAPI
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Every admin route with every role, everywhere: allowed or refused exactly as docs/api.md says.
///
/// The routes are those of the server, so one that is added is covered without a change here.
@Suite("Admin: roles and routes")
struct RoleMatrixTests {
    /// Somebody who asks, and what the document says that they may do.
    private struct Caller: Sendable {
        let name: String
        let token: String
        let grant: AdminGrant
        /// As the audit events of refusals name them.
        let actor: UUIDBits
    }

    private static func document() throws -> [Substring] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/api.md"), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The table of roles: `| support | apps.read, users.read |`, with words for what would be long.
    private static func documentedRoles() throws -> [AdminRole: Set<AdminPermission>] {
        let rows = try document().filter { $0.hasPrefix("| `") }.compactMap { row -> (AdminRole, Substring)? in
            let cells = row.split(separator: "|").map { $0.trimmingPrefix(" ") }
            guard cells.count == 2, let match = cells[0].firstMatch(of: /^`(\w+)`/),
                let role = AdminRole(rawValue: String(match.1))
            else { return nil }
            return (role, cells[1])
        }
        return Dictionary(
            uniqueKeysWithValues: rows.map { role, text in
                let named = Set(text.matches(of: /`([a-z_.]+)`/).compactMap { AdminPermission(rawValue: String($0.1)) })
                let all = Set(AdminPermission.allCases)
                if text.hasPrefix("all but") { return (role, all.subtracting(named)) }
                if text.hasPrefix("all") { return (role, all) }
                if text.hasPrefix("everything that ends in `.read`") {
                    return (role, named.union(all.filter { $0.rawValue.hasSuffix(".read") }))
                }
                return (role, named)
            })
    }

    @Test func `the table in the document is what the roles are`() throws {
        let documented = try Self.documentedRoles()
        #expect(documented.count == AdminRole.allCases.count)
        for role in AdminRole.allCases { #expect(documented[role] == role.permissions, "\(role)") }
    }

    @Test func `each route's section names its permission and where it must be held`() async throws {
        try await TestServer.running { server in
            let lines = try Self.document()
            for route in server.adminRoutes {
                let heading = try #require(lines.firstIndex(of: "### \(route.method) \(route.path)"))
                let section = lines[(heading + 1)...].prefix { !$0.hasPrefix("#") }.joined(separator: " ")
                #expect(section.trimmingPrefix(" ").hasPrefix("`\(route.permission.rawValue)`"), "\(route)")
                #expect(section.contains("in at least one app") == (route.reach == .anywhere), "\(route)")
            }
        }
    }

    @Test func `every route is open to exactly those whose role says so, and refusals are recorded`() async throws {
        try await TestServer.running { server in
            #expect(server.adminRoutes.count > 5)
            let other = try await server.otherApp()
            let everybody = try await callers(server, other.id)
            for caller in everybody { try await check(caller, server) }
        }
    }

    /// Tries every route as somebody; what they were refused is recorded where it was, under who they are.
    private func check(_ caller: Caller, _ server: TestServer) async throws {
        let permissions = try Self.documentedRoles()[caller.grant.role] ?? []
        var (refusedHere, refusedGlobally) = (0, 0)
        for route in server.adminRoutes {
            let isOfApp = route.path.contains("{app}")
            let isInPlace =
                caller.grant.app == nil || route.reach == .anywhere || isOfApp && caller.grant.app == server.app.id
            let answer = try await send(route, server, caller.token)
            let (status, problem) = (answer.status, answer.problem)
            if isInPlace, permissions.contains(route.permission) {
                #expect(
                    status != 401 && status != 403 && status < 500,
                    "\(caller.name): \(route.method) \(route.path) answered \(status)")
            } else {
                #expect(
                    problem == .permissionDenied, "\(caller.name): \(route.method) \(route.path) answered \(status)")
                if isOfApp { refusedHere += 1 } else { refusedGlobally += 1 }
            }
        }
        #expect(try await recorded(caller, in: server.app.id, server) == refusedHere, "\(caller.name)")
        #expect(try await recorded(caller, in: .gatepost, server) == refusedGlobally, "\(caller.name)")
    }

    @Test func `without a token, or with one of a user of the app, nothing opens`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let user = try await server.session().access
            for route in server.adminRoutes {
                for token in ["", "x", user, "gak_" + String(repeating: "A", count: 43)] {
                    #expect(try await send(route, server, token).status == 401, "\(route)")
                }
            }
        }
    }

    /// Everybody who might ask: each role for all apps, for the app and for another one.
    private func callers(_ server: TestServer, _ other: AppID) async throws -> [Caller] {
        let owner = try await server.admin("owner", AdminGrant(.owner, in: nil))
        var callers = [
            Caller(
                name: "owner", token: try await server.accessToken(of: owner), grant: AdminGrant(.owner, in: nil),
                actor: owner.uuid)
        ]
        for role in AdminRole.allCases where role != .owner {
            for (place, app) in [("all", nil), ("this app", server.app.id), ("another app", other)] {
                let token = try await server.apiKey(role, in: app)
                let key = try #require(OneTimeToken(.apiKey, presented: token))
                let record = try await server.app.database.batch(in: try await server.builtIn) {
                    $0.liveAPIKey(key, at: server.app.clock.now)
                }
                callers.append(
                    Caller(
                        name: "\(role) of \(place)", token: token, grant: AdminGrant(role, in: app),
                        actor: try #require(record).id.uuid))
            }
        }
        return callers
    }

    /// Sends a request with nothing in it that could be found or carried out.
    private func send(_ route: AdminRoute, _ server: TestServer, _ token: String) async throws -> HTTPResponse {
        let path = route.path.replacing("{app}", with: "\(server.app.id)").replacing(/\{\w+\}/, with: "x")
        return try await server.admin(
            route.method, path, key: token, json: ["POST", "PUT", "PATCH"].contains(route.method) ? "{}" : nil)
    }

    private func recorded(_ caller: Caller, in app: AppID, _ server: TestServer) async throws -> Int {
        let scope = try #require(try await server.app.database.scope(of: app))
        return try await server.app.database.batch(in: scope) { batch in
            batch.read(
                """
                select count(*) as count from audit_events
                 where actor_id = \(caller.actor) and kind = 'request.refused' and reason = 'permission_denied'
                """
            ) { Int(try $0.first?.get("count", as: Int64.self) ?? 0) }
        }
    }
}
