import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Audit: list")
struct AuditEventRoutesTests {
    @Test func `events are listed newest first, page by page, each once`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor)
            var ids: [String] = []
            for number in 0..<5 {
                // Two of one moment are told apart by their ids.
                if number != 3 { server.app.clock.advance(by: .seconds(1)) }
                ids.append("\(try await server.plant())")
            }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let query = "limit=2" + (cursor.map { "&cursor=\($0)" } ?? "")
                let page = try await server.admin("GET", "\(server.adminAPI)/audit-events?\(query)", key: key)
                #expect(page.status == 200, "\(page.text)")
                seen += page.eventIDs
                cursor = page.field("next_cursor")
            } while cursor != nil

            #expect(Set(seen) == Set(ids) && seen.count == ids.count)
            #expect(seen.first == ids.last && seen.last == ids.first)
        }
    }

    @Test func `a filter by user, kind, actor and range finds what it names and nothing else`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor)
            let (ada, boss): (UserID, UserID) = (server.app.newID(), server.app.newID())
            let program: APIKeyID = server.app.newID()
            let start = server.app.clock.now
            let first = "\(try await server.plant(.signInPassed, user: ada))"
            server.app.clock.advance(by: .seconds(1))
            let second = "\(try await server.plant(.userDeactivated, by: .admin(boss), user: ada))"
            server.app.clock.advance(by: .seconds(1))
            let third = "\(try await server.plant(.userReactivated, by: .apiKey(program)))"
            @Sendable func ids(_ query: String) async throws -> [String] {
                try await server.admin("GET", "\(server.adminAPI)/audit-events?\(query)", key: key).eventIDs
            }

            #expect(try await ids("user=\(ada)") == [second, first])
            #expect(try await ids("kind=user.deactivated") == [second])
            #expect(try await ids("actor=\(boss)") == [second])
            #expect(try await ids("actor=\(program)") == [third])
            #expect(try await ids("actor=user") == [first])
            // From the first moment on, and before the last.
            #expect(try await ids("since=\(start + .seconds(1))") == [third, second])
            #expect(try await ids("until=\(start + .seconds(2))") == [second, first])
            #expect(try await ids("since=\(start)&until=\(start)") == [])
            #expect(try await ids("user=\(server.app.newID(UserID.self))") == [])
        }
    }

    @Test func `a row says who, whom, where from and what else, with ids in text form`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor)
            let (ada, boss): (UserID, UserID) = (server.app.newID(), server.app.newID())
            let id = try await server.plant(
                .userDeactivated, by: .admin(boss), user: ada, userAgent: "Test/1", details: ["note": "by phone"])

            let list = try await server.admin("GET", "\(server.adminAPI)/audit-events", key: key)

            #expect(
                list.text == """
                    {"items":[{"actor_id":"\(boss)","actor_kind":"admin","created_at":"\(server.app.clock.now)",\
                    "details":{"note":"by phone"},"id":"\(id)","ip":"192.0.2.7","kind":"user.deactivated",\
                    "user_agent":"Test/1","user_id":"\(ada)"}]}
                    """)
        }
    }

    @Test func `support may not read the trail, and nobody reads another app's`() async throws {
        try await TestServer.running { server in
            try await server.plant()
            let other = try await server.otherApp()
            let path = "\(server.adminAPI)/audit-events"

            let support = try await server.apiKey(.support)
            #expect(try await server.admin("GET", path, key: support).problem == .permissionDenied)
            let foreign = try await server.apiKey(.auditor, in: other.id)
            #expect(try await server.admin("GET", path, key: foreign).problem == .permissionDenied)
            let own = try await server.admin("GET", "/v1/admin/apps/\(other.id)/audit-events", key: foreign)
            #expect(own.status == 200 && own.eventIDs == [])
        }
    }

    @Test(arguments: ["user=ada", "actor=nobody", "since=yesterday", "until=2026-03-02", "kinds=a.b", "limit=0"])
    func `a filter that means nothing is refused`(query: String) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor)
            let answer = try await server.admin("GET", "\(server.adminAPI)/audit-events?\(query)", key: key)
            #expect(answer.problem == .invalidRequest)
        }
    }
}
