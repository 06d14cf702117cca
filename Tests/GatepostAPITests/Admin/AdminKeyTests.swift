import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Admin: API keys")
struct AdminKeyTests {
    private func create(
        _ server: TestServer, by key: String, _ role: AdminRole, in app: AppID?, days: Int = 1
    ) async throws -> HTTPResponse {
        let place = app.map { #", "app": "\#($0)""# } ?? ""
        return try await server.admin(
            "POST", "/v1/admin/api-keys", key: key,
            json: #"{"name": "Made", "role": "\#(role.rawValue)", "expires_in_days": \#(days)\#(place)}"#)
    }

    @Test func `a key is shown once, works, is listed by its prefix and revoked at once`() async throws {
        try await TestServer.running { server in
            let app = server.app.id
            let owner = try await server.admin("owner", AdminGrant(.owner, in: nil))
            let token = try await server.accessToken(of: owner)
            let made = try await create(server, by: token, .support, in: app)
            #expect(made.status == 201, "\(made.text)")
            let (key, id) = (try #require(made.field("key")), try #require(made.field("id")))
            #expect(try await server.admin("GET", server.adminAPI, key: key).status == 200)

            let scoped = try await server.apiKey(.admin, in: app)
            let list = try await server.admin("GET", "/v1/admin/api-keys", key: scoped)
            #expect(list.text.contains(key.prefix(12)) && !list.text.contains(key))
            #expect(list.users.allSatisfy { $0["app"] as? String == "\(app)" })

            #expect(try await server.admin("DELETE", "/v1/admin/api-keys/\(id)", key: scoped).status == 204)
            #expect(try await server.admin("GET", server.adminAPI, key: key).problem == .invalidAPIKey)
        }
    }

    @Test func `nobody makes a key that may do more than they, or elsewhere`() async throws {
        try await TestServer.running { server in
            let other = try await server.otherApp()
            let maker = try await server.admin("scoped", AdminGrant(.admin, in: server.app.id))
            let scoped = try await server.accessToken(of: maker)
            #expect(try await create(server, by: scoped, .support, in: nil).problem == .permissionDenied)
            #expect(try await create(server, by: scoped, .support, in: other.id).problem == .permissionDenied)
            #expect(try await create(server, by: scoped, .owner, in: server.app.id).problem == .invalidRequest)
            #expect(try await create(server, by: scoped, .support, in: server.app.id, days: 367).status == 400)
            #expect(try await create(server, by: scoped, .support, in: server.app.id).status == 201)
            let repeated = try await server.admin(
                "POST", "/v1/admin/api-keys", key: scoped, json: "{}", idempotencyKey: "one")
            #expect(repeated.problem == .invalidIdempotencyKey)
        }
    }

    @Test func `a key makes no keys, so that whoever revokes a stolen one has revoked all`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            #expect(try await create(server, by: key, .auditor, in: nil).problem == .conflict)
        }
    }

    @Test func `a key of another app is answered like none`() async throws {
        try await TestServer.running { server in
            let other = try await server.otherApp()
            let maker = try await server.admin("global", AdminGrant(.admin, in: nil))
            let mine = try await create(server, by: try await server.accessToken(of: maker), .support, in: other.id)
            let id = try #require(mine.field("id"))
            let scoped = try await server.apiKey(.admin, in: server.app.id)
            #expect(try await server.admin("DELETE", "/v1/admin/api-keys/\(id)", key: scoped).problem == .notFound)
        }
    }

    @Test func `a key ends with its time, and with what its maker may do`() async throws {
        try await TestServer.running { server in
            let short = try await server.apiKey(.admin, life: .seconds(60))
            let maker = try await server.admin("maker", AdminGrant(.admin, in: nil))
            let token = try await server.accessToken(of: maker)
            let made = try #require(try await create(server, by: token, .support, in: nil).field("key"))
            #expect(try await server.admin("GET", server.adminAPI, key: made).status == 200)

            let scope = try await server.builtIn
            try await server.app.database.batch(in: scope) { batch in
                batch.setAdminGrant(
                    AdminGrant(.auditor, in: nil), of: maker, id: server.app.newID(), at: server.app.clock.now)
            }
            #expect(try await server.admin("GET", server.adminAPI, key: made).problem == .invalidAPIKey)
            try await server.app.database.batch(in: scope) { batch in
                batch.setAdminGrant(
                    AdminGrant(.admin, in: nil), of: maker, id: server.app.newID(), at: server.app.clock.now)
            }
            #expect(try await server.admin("GET", server.adminAPI, key: made).status == 200)
            _ = try await server.app.database.batch(in: scope) { $0.deactivateUser(maker, at: server.app.clock.now) }
            #expect(try await server.admin("GET", server.adminAPI, key: made).problem == .invalidAPIKey)

            server.app.clock.advance(by: .seconds(60))
            #expect(try await server.admin("GET", server.adminAPI, key: short).problem == .invalidAPIKey)
        }
    }
}
