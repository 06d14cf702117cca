import Curl
import Foundation
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Admin: users")
struct AdminUserRoutesTests {
    @Test func `users are listed page by page, searched by address and shown with their sessions`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support, in: server.app.id)
            for name in ["ada", "adele", "grace"] {
                server.app.clock.advance(by: .seconds(1))
                try await server.verifiedUser("\(name)@example.com")
            }
            _ = try await server.session("ada@example.com")

            let first = try await server.admin("GET", "\(server.adminAPI)/users?limit=2", key: key)
            #expect(first.emails == ["grace@example.com", "adele@example.com"])
            let cursor = try #require(first.field("next_cursor"))
            let second = try await server.admin("GET", "\(server.adminAPI)/users?limit=2&cursor=\(cursor)", key: key)
            #expect(second.emails == ["ada@example.com"] && second.field("next_cursor") == nil)
            let found = try await server.admin("GET", "\(server.adminAPI)/users?email=AD", key: key)
            #expect(found.emails == ["adele@example.com", "ada@example.com"])

            let ada = try #require(second.users.first?["id"] as? String)
            let detail = try await server.admin("GET", "\(server.adminAPI)/users/\(ada)", key: key)
            #expect(detail.field("user.email") == "ada@example.com" && detail.sessionCount == 1)
        }
    }

    @Test func `a cursor opens no other list and no other app`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            for name in ["ada", "adele"] { try await server.verifiedUser("\(name)@example.com") }
            let other = try await server.otherApp()
            let page = try await server.admin("GET", "\(server.adminAPI)/users?limit=1", key: key)
            let cursor = try #require(page.field("next_cursor"))

            for path in [
                "\(server.adminAPI)/users?email=a&cursor=", "/v1/admin/apps/\(other.id)/users?cursor=",
                "/v1/admin/apps?cursor=",
            ] {
                let answer = try await server.admin("GET", path + cursor, key: key)
                #expect(answer.problem == .invalidCursor, "\(path)")
            }
        }
    }

    @Test(arguments: [
        "email=%00", "email=%0A", "state=gone", "limit=0", "limit=201", "limit=x", "unknown=1", "limit=1&limit=2",
        "cursor=" + String(repeating: "A", count: 301),
    ])
    func `a query that is not one of this list is refused`(query: String) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            let answer = try await server.admin("GET", "\(server.adminAPI)/users?\(query)", key: key)
            #expect(answer.problem == .invalidRequest, "\(answer.status)")
        }
    }

    @Test func `whatever a deactivated user holds is dead, and the trail says who did it and why`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            try await server.verifiedUser()
            let tokens = try await server.session()
            let code = try #require(try await server.signIn().field("code"))
            let user = try #require(try await server.me(tokens.access).field("user.id"))
            let path = "\(server.adminAPI)/users/\(user)"

            let answer = try await server.admin(
                "POST", "\(path)/deactivate", key: key, json: #"{"note": "asked by phone"}"#)

            #expect(answer.status == 200 && answer.field("state") == "deactivated", "\(answer.text)")
            #expect(try await server.me(tokens.access).problem == .sessionEnded)
            #expect(try await server.refresh(tokens.refresh).field("error") == "invalid_grant")
            #expect(try await server.exchange(code).field("error") == "invalid_grant")
            #expect(try await server.signIn().problem == .userDeactivated)
            #expect(try await server.texts("select end_reason as text from sessions") == ["user_deactivated"])
            let events = try await server.texts(
                """
                select concat_ws(' ', actor_kind, actor_id is not null, details ->> 'note') as text
                  from audit_events where kind = 'user.deactivated'
                """)
            #expect(events == ["api_key t asked by phone"])

            let again = try await server.admin("POST", "\(path)/reactivate", key: key, json: "{}")
            #expect(again.field("state") == "active")
            #expect(try await server.signIn().status == 200)
            #expect(try await server.me(tokens.access).problem == .sessionEnded)
        }
    }

    @Test func `a repeat under the same key acts once, another request under it is refused`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let name = "\(server.app.newID(UserID.self))"
            @Sendable func create(_ json: String) async throws -> HTTPResponse {
                try await server.admin("POST", "/v1/admin/apps", key: key, json: json, idempotencyKey: name)
            }
            let answers = try await race(8) { try await create(#"{"name": "Shop"}"#) }

            let ids = Set(answers.map { $0.field("id") })
            #expect(ids.count == 1 && ids.first != .some(nil))
            #expect(try await create(#"{"name": "Other"}"#).problem == .idempotencyKeyReused)
        }
    }
}

extension HTTPResponse {
    var users: [[String: Any]] {
        let answer = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        return answer?["items"] as? [[String: Any]] ?? []
    }
    var emails: [String] { users.compactMap { $0["email"] as? String } }
    var sessionCount: Int? {
        let answer = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        return (answer?["sessions"] as? [Any])?.count
    }
}
