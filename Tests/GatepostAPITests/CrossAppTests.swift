import Curl
import Foundation
import GatepostAPI
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Whatever is one app's is nothing in another: every route with `{app}`, with all that the other app has.
///
/// The routes are the server's own. One that is new is tried with the tokens and keys of the other app as it is; one
/// that writes, or has another id in its path, fails here until `Belongings` says what to send.
@Suite("Across apps")
struct CrossAppTests {
    @Test func `no id, token, key or cursor of one app reads or writes anything in another`() async throws {
        try await TestServer.running(devMails: DevMails { [] }) { server in
            let other = try await server.otherApp()
            let mine = try await Belongings(of: server)
            // What must not be read: a user of the other app.
            _ = try await other.signUp(try #require(EmailAddress("secret@example.com")))
            let before = try await Self.rows(of: other.id)
            #expect(before.count > 10)

            for route in server.routes where route.contains("{app}") {
                guard let attempts = mine.attempts(on: route, in: other.id) else {
                    Issue.record("\(route) takes what is not listed in Belongings: an id in its path, or a body")
                    continue
                }
                for attempt in attempts {
                    let answer = try await server.send(
                        attempt.method, attempt.path, headers: attempt.headers, body: attempt.body)
                    #expect(
                        (400..<500).contains(answer.status) && !answer.text.contains("secret@example.com"),
                        "\(route) answered \(answer.status) to \(attempt.what): \(answer.text)")
                }
                #expect(try await Self.rows(of: other.id) == before, "\(route) wrote something")
            }
        }
    }

    @Test func `a cursor of one app opens no list of another`() async throws {
        try await TestServer.running { server in
            let other = try await server.otherApp()
            let key = try await server.apiKey(.admin)
            for name in ["ada", "adele"] { _ = try await server.begin("\(name)@example.com") }
            let page = try await server.admin("GET", "\(server.adminAPI)/users?limit=1", key: key)
            let anyCursor = try #require(page.field("next_cursor"))
            var lists = 0
            for route in server.adminRoutes where route.method == "GET" && route.path.contains("{app}") {
                guard !route.path.replacing("{app}", with: "").contains("{") else { continue }
                let own = route.path.replacing("{app}", with: "\(server.app.id)")
                let others = route.path.replacing("{app}", with: "\(other.id)")
                let first = try await server.admin("GET", own + "?limit=1", key: key)
                guard first.text.contains("\"items\"") else { continue }
                lists += 1
                for cursor in [first.field("next_cursor") ?? anyCursor, anyCursor] {
                    let answer = try await server.admin("GET", "\(others)?cursor=\(cursor)", key: key)
                    #expect(answer.problem == .invalidCursor, "\(route.path)")
                }
            }
            #expect(lists > 0)
        }
    }

    /// Everything that an app's rows say, the audit trail and the counted tries aside.
    private static func rows(of app: AppID) async throws -> [String] {
        let pool = try await TestDatabase.current.superuserPool()
        let tables = try await pool.batch(
            [
                """
                select c.table_name as name
                  from information_schema.columns as c
                  join information_schema.tables as t using (table_schema, table_name)
                 where c.table_schema = 'public' and c.column_name = 'app_id' and t.table_type = 'BASE TABLE'
                   and c.table_name not like 'audit_events%' and c.table_name <> 'rate_limits'
                 order by c.table_name
                """
            ], deadline: .seconds(10))
        let names = try #require(tables.first).map { try $0.get("name", as: String.self) }
        let hex = app.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let found = try await pool.batch(
            names.map { name in
                .trusted(
                    """
                    select coalesce(string_agg(r::text, ' ' order by r::text), '') as text
                      from \(name) as r where app_id = '\(hex)'
                    """)
            }, deadline: .seconds(20))
        await pool.shutdown()
        return try zip(names, found).map { name, rows in
            try name + " " + rows.map { try $0.get("text", as: String.self) }.joined()
        }
    }
}
