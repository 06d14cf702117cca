import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// A user's sessions on all devices, seen and ended by the user and by admins.
@Suite("Sessions of a user")
struct OwnSessionsTests {
    private static let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    /// A server with a user who has a session on each of two devices; `there` came a minute later.
    private func withTwo(
        _ body: (TestServer, TestServer.Tokens, TestServer.Tokens) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let here = try await server.session()
            server.app.clock.advance(by: .minutes(1))
            try await body(server, here, try await server.session())
        }
    }

    private func list(_ server: TestServer, _ token: String, _ query: String = "") async throws -> HTTPResponse {
        try await server.send("GET", "\(server.api)/sessions\(query)", headers: ["Authorization": "Bearer \(token)"])
    }

    private func end(_ server: TestServer, _ token: String, _ session: String) async throws -> HTTPResponse {
        try await server.send(
            "DELETE", "\(server.api)/sessions\(session)", headers: ["Authorization": "Bearer \(token)"])
    }

    private func id(_ server: TestServer, _ tokens: TestServer.Tokens) async throws -> String {
        try #require(try await server.me(tokens.access).field("session.id"))
    }

    @Test func `the list has each device, the newest first, page by page`() async throws {
        try await withTwo { server, here, there in
            try await server.tamper(
                "update sessions set user_agent = '\(Self.firefox)' where app_id = \(server.sqlID) and created_at = "
                    + "(select min(created_at) from sessions where app_id = \(server.sqlID))")
            let first = try await list(server, here.access, "?limit=1")
            #expect(first.users.count == 1 && first.users[0]["current"] as? Bool == false, "\(first.text)")
            let cursor = try #require(first.field("next_cursor"))
            let second = try await list(server, here.access, "?limit=1&cursor=\(cursor)")
            let mine = try #require(second.users.first)
            #expect(mine["current"] as? Bool == true && mine["device"] as? String == "Firefox on Linux")
            #expect(mine["ip"] as? String == "127.0.0.1" && mine["last_used_at"] != nil)
            #expect(second.field("next_cursor") == nil)
            #expect(try await list(server, here.access, "?cursor=x").problem == .invalidCursor)
            #expect(try await list(server, there.access).users.count == 2)
        }
    }

    @Test func `one is ended elsewhere, with its tokens, and the trail and the webhooks say so`() async throws {
        try await withTwo { server, here, there in
            _ = try await server.app.addEndpoint()
            let session = try await id(server, there)
            #expect(try await end(server, here.access, "/\(session)").status == 204)

            #expect(try await server.me(there.access).problem == .sessionEnded)
            #expect(try await server.refresh(there.refresh).field("error") == "invalid_grant")
            #expect(try await server.me(here.access).status == 200)
            #expect(try await end(server, here.access, "/\(session)").problem == .notFound)
            #expect(try await server.events().contains("session.ended ended_elsewhere"))
            let reasons = try await server.texts(
                "select payload #>> '{data,reason}' as text from outbox where payload ->> 'type' = 'session.ended'")
            #expect(reasons == ["ended_elsewhere"])
        }
    }

    @Test func `twenty who end the same one at once leave one event`() async throws {
        try await withTwo { server, here, there in
            let session = try await id(server, there)
            let statuses = try await race(20) { try await end(server, here.access, "/\(session)").status }
            #expect(statuses.contains(204) && statuses.allSatisfy { $0 == 204 || $0 == 404 })
            #expect(try await server.events().count { $0 == "session.ended ended_elsewhere" } == 1)
        }
    }

    @Test func `all others are ended, and this one goes on, its refresh token too`() async throws {
        try await withTwo { server, here, there in
            let code = try #require(try await server.signIn().field("code"))
            #expect(try await end(server, here.access, "?except=current").status == 204)

            #expect(try await server.me(there.access).problem == .sessionEnded)
            #expect(try await server.exchange(code).field("error") == "invalid_grant")
            #expect(try await server.me(here.access).status == 200)
            let next = try TestServer.Tokens(try await server.refresh(here.refresh))
            // A lost answer is still no theft.
            #expect(try await server.refresh(here.refresh).field("refresh_token") == next.refresh)
            #expect(try await list(server, next.access).users.count == 1)
            #expect(try await server.events().contains("user.signed_out_elsewhere"))
            #expect(try await end(server, here.access, "?except=none").problem == .invalidRequest)
        }
    }

    @Test func `a session of somebody else is not there`() async throws {
        try await withTwo { server, here, _ in
            try await server.verifiedUser("grace@example.com")
            let other = try await server.session("grace@example.com")
            let session = try await id(server, other)
            #expect(try await end(server, here.access, "/\(session)").problem == .notFound)
            #expect(try await server.me(other.access).status == 200)
            #expect(try await server.events().last == "request.refused not_found")
        }
    }

    @Test func `a limit that is shortened holds at once`() async throws {
        try await withTwo { server, here, there in
            let key = try await server.apiKey(.admin)
            let answer = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"settings": {"session_seconds": 90}}"#)
            #expect(answer.status == 200, "\(answer.text)")
            server.app.clock.advance(by: .seconds(40))
            #expect(try await server.me(here.access).problem == .sessionEnded)
            #expect(try await server.refresh(here.refresh).field("error") == "invalid_grant")
            #expect(try await server.me(there.access).status == 200)
            #expect(try await list(server, there.access).users.count == 1)
        }
    }

    @Test func `support lists a user's sessions and ends one or all`() async throws {
        try await withTwo { server, here, there in
            let key = try await server.apiKey(.support, in: server.app.id)
            let user = try #require(try await server.me(here.access).field("user.id"))
            let path = "\(server.adminAPI)/users/\(user)/sessions"
            #expect(try await server.admin("GET", path, key: key).users.count == 2)

            let session = try await id(server, there)
            #expect(try await server.admin("DELETE", "\(path)/\(session)", key: key).status == 204)
            #expect(try await server.me(there.access).problem == .sessionEnded)
            #expect(try await server.me(here.access).status == 200)
            #expect(try await server.admin("DELETE", "\(path)/\(session)", key: key).problem == .notFound)

            #expect(try await server.admin("DELETE", path, key: key).status == 204)
            #expect(try await server.me(here.access).problem == .sessionEnded)
            #expect(try await server.signIn().status == 200)
            let nobody = "\(server.adminAPI)/users/\(server.app.newID(UserID.self))/sessions"
            #expect(try await server.admin("GET", nobody, key: key).problem == .notFound)
            #expect(try await server.admin("DELETE", nobody, key: key).problem == .notFound)
            let events = try await server.events()
            #expect(events.contains("session.ended ended_by_admin"))
            #expect(events.contains("user.signed_out_everywhere ended_by_admin"))
        }
    }
}
