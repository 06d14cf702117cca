import Curl
import GatepostAPI
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// A suspended app refuses every route that it has; the routes are the server's own.
@Suite("Admin: suspending an app")
struct SuspensionTests {
    /// Suspends or resumes the app by the admin API.
    private func order(
        _ what: String, _ server: TestServer, key: String, app: AppID? = nil
    ) async throws -> HTTPResponse {
        try await server.admin(
            "POST", "/v1/admin/apps/\(app ?? server.app.id)/\(what)", key: key, json: #"{"note": "unpaid"}"#)
    }

    @Test func `every route refuses, nothing changes, and resuming gives everything back`() async throws {
        try await TestServer.running(devMails: DevMails { [] }) { server in
            let key = try await server.apiKey(.admin, in: server.app.id)
            try await server.verifiedUser()
            let tokens = try await server.session()
            let answer = try await order("suspend", server, key: key)
            #expect(answer.status == 200 && answer.field("state") == "suspended", "\(answer.text)")
            #expect(answer.field("suspended_at") == "\(server.app.clock.now)")

            let before = try await server.state()
            let routes = server.routes.filter { $0.contains("{app}") && !$0.contains(" /v1/admin/") }
            #expect(routes.count > 12)
            for route in routes { try await expectRefusal(of: route, tokens.access, server) }
            #expect(try await server.state() == before)

            #expect(try await order("resume", server, key: key).field("state") == "active")
            #expect(try await server.me(tokens.access).status == 200)
            #expect(try await server.refresh(tokens.refresh).status == 200)
        }
    }

    private func expectRefusal(of route: String, _ token: String, _ server: TestServer) async throws {
        let words = route.split(separator: " ").map(String.init)
        let path = words[1].replacing("{app}", with: "\(server.app.id)").replacing(/\{\w+\}/, with: "x")
        let isAPI = path.hasPrefix("/v1/")
        let answer = try await server.send(
            words[0], path,
            headers: [
                "Authorization": "Bearer \(token)",
                "Content-Type": isAPI ? "application/json" : "application/x-www-form-urlencoded",
            ], body: words[0] == "GET" ? nil : Array((isAPI ? "{}" : "x=y").utf8))
        if isAPI {
            #expect(answer.problem == .appSuspended, "\(route) answered \(answer.status)")
        } else if answer.field("error") != nil {
            #expect(answer.status == 400 && answer.field("error") == "unauthorized_client", "\(route)")
        } else {
            #expect(answer.status == 403, "\(route) answered \(answer.status)")
            #expect(answer.problem == .appSuspended || answer.text.contains("This app is suspended"), "\(route)")
        }
        if words[0] != "GET" {
            #expect(try await server.events().last == "request.refused app_suspended", "\(route)")
        }
    }

    @Test func `who did it and why is recorded, once`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            for what in ["suspend", "suspend", "resume", "resume"] {
                #expect(try await order(what, server, key: key).status == 200)
            }
            let events = try await server.texts(
                """
                select concat_ws(' ', kind, actor_kind, details ->> 'note') as text
                  from audit_events order by transaction_id, id
                """)
            #expect(events == ["app.suspended api_key unpaid", "app.resumed api_key unpaid"])
        }
    }

    @Test func `the built-in app stays, and only whoever may change an app suspends it`() async throws {
        try await TestServer.running { server in
            let owner = try await server.owner()
            #expect(try await order("suspend", server, key: owner, app: .gatepost).problem == .conflict)
            let support = try await server.apiKey(.support)
            #expect(try await order("suspend", server, key: support).problem == .permissionDenied)
            let other = try await server.otherApp()
            let foreign = try await server.apiKey(.admin, in: other.id)
            #expect(try await order("suspend", server, key: foreign).problem == .permissionDenied)
        }
    }

    @Test func `mail that falls due meanwhile is not sent and says why`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            _ = try await server.begin("ada@example.com")
            #expect(try await order("suspend", server, key: key).status == 200)
            server.app.database.forget(server.app.id)
            try await MailSink.running { sink in
                try await server.app.drainOutbox(to: sink)
                #expect(await sink.mails().isEmpty)
            }
            let entry = try #require(try await server.app.ledger().first)
            #expect(entry.state == MessageEnd.suppressed.rawValue && entry.reason == "app_suspended")
        }
    }
}
