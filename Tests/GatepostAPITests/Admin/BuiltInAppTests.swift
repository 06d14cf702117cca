import Curl
import GatepostAPI
import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// The built-in app's users are the admins: only who may change their rights changes the app.
///
/// An `admin`, who may do everything but that, once became an owner by the app's own settings and clients: the mails
/// of the built-in app captured, then an owner's password reset, whose link stood among them; or a client with a
/// redirect URI of their own, and a genuine sign-in page for an owner to use.
@Suite("Admin: the built-in app", .ownDatabase)
struct BuiltInAppTests {
    private static let path = "/v1/admin/apps/\(AppID.gatepost)"

    /// Everybody short of an owner, by the widest grants that there are.
    private func callers(_ server: TestServer) async throws -> [(name: String, token: String)] {
        let (all, here) = (AdminGrant(.admin, in: nil), AdminGrant(.admin, in: .gatepost))
        return [
            ("admin", try await server.accessToken(of: try await server.admin("admin", all))),
            ("admin of it", try await server.accessToken(of: try await server.admin("here", here))),
            ("admin's key", try await server.apiKey(.admin)),
            ("admin's key of it", try await server.apiKey(.admin, in: .gatepost)),
            ("support", try await server.apiKey(.support)),
            ("auditor", try await server.apiKey(.auditor)),
        ]
    }

    /// Sends a request with nothing in it that could be found or carried out.
    private func send(_ route: AdminRoute, _ server: TestServer, _ token: String) async throws -> HTTPResponse {
        let path = route.path.replacing("{app}", with: "\(AppID.gatepost)").replacing(/\{\w+\}/, with: "x")
        return try await server.admin(route.method, path, key: token, json: route.method == "GET" ? nil : "{}")
    }

    @Test func `no route changes it, or opens its mails, for anybody but an owner`() async throws {
        try await TestServer.running { server in
            // By method, not by what a route says of itself. One POST only reads: it asks for an audit export.
            let guarded = server.adminRoutes.filter { route in
                let isExport = route.method == "POST" && route.path.hasSuffix("/audit-exports")
                let isWrite = route.method != "GET" && !isExport
                return route.path.contains("{app}") && (isWrite || route.path.contains("captured-mails"))
            }
            #expect(guarded.count > 30)
            let (callers, owner) = (try await callers(server), try await server.owner())
            for route in guarded {
                for caller in callers {
                    let answer = try await send(route, server, caller.token)
                    #expect(answer.problem == .permissionDenied, "\(caller.name): \(route.method) \(route.path)")
                }
                let answer = try await send(route, server, owner)
                #expect(
                    answer.status != 401 && answer.status != 403 && answer.status < 500,
                    "owner: \(route.method) \(route.path) answered \(answer.status)")
            }
        }
    }

    @Test func `it is read by whoever may read apps`() async throws {
        try await TestServer.running { server in
            for role in [AdminRole.admin, .auditor] {
                let key = try await server.apiKey(role)
                for list in ["", "/clients", "/users", "/roles", "/deliveries", "/webhook-endpoints", "/audit-events"] {
                    #expect(try await server.admin("GET", Self.path + list, key: key).status == 200, "\(list)")
                }
            }
        }
    }

    @Test func `an admin captures no owner's mail, and sends no owner to a client of theirs`() async throws {
        try await TestServer.running { server in
            let admin = try await server.accessToken(of: try await server.admin("admin", AdminGrant(.admin, in: nil)))
            let captured = try await server.admin(
                "PATCH", Self.path, key: admin, json: #"{"settings": {"capture_mails": true}}"#)
            #expect(captured.problem == .permissionDenied)
            let client = try await server.admin(
                "POST", "\(Self.path)/clients", key: admin,
                json: #"{"name": "Console", "type": "public", "redirect_uris": ["https://evil.example/cb"]}"#)
            #expect(client.problem == .permissionDenied)
            let known = try await server.admin("GET", "\(Self.path)/clients", key: admin)
            #expect(known.status == 200 && !known.text.contains("evil.example"))
        }
    }

    @Test func `no owner captures the mails of the others, and an operator may`() async throws {
        try await TestServer.running { server in
            let owner = try await server.owner()
            let on = #"{"settings": {"capture_mails": true}}"#
            #expect(try await server.admin("PATCH", Self.path, key: owner, json: on).problem == .conflict)

            var settings = AppSettings()
            settings.captureMails = true
            let outcome = try await server.flows.flows.admin.apps.change(
                AppChange(settings: settings), for: AdminRequest(.operator, from: TestFlows.origin),
                in: try await server.builtIn)
            guard case .done = outcome else {
                Issue.record("\(outcome)")
                return
            }
            let off = #"{"settings": {"capture_mails": false}}"#
            #expect(try await server.admin("PATCH", Self.path, key: owner, json: off).status == 200)
        }
    }
}
