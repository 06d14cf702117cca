import Curl
import Foundation
import GatepostDev
import GatepostModel
import GatepostOutbox
import TestSupport
import Testing

@Suite("Admin: deliveries")
struct AdminDeliveryRoutesTests {
    @Test func `one answer says whether she got it, and why not`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support, in: server.app.id)
            _ = try await server.begin("ada@example.com")
            _ = try await server.begin("bob@example.com")
            let script = SMTPScript(at: .rcpt, .reply(550, "5.1.1 no such mailbox"))
            try await MailSink.running(script) { try await server.app.drainOutbox(to: $0) }

            let path = "\(server.adminAPI)/deliveries?address=Ada%40Example.com"
            let answer = try await server.admin("GET", path, key: key)

            #expect(answer.messages.count == 1)
            let row = try #require(answer.messages.first)
            #expect(row["state"] as? String == "rejected" && row["last_outcome"] as? String == "permanent")
            #expect(row["last_code"] as? Int == 550 && row["attempt_count"] as? Int == 1)
            #expect((row["last_reply"] as? String)?.contains("no such mailbox") == true)
            #expect(row["ended_at"] != nil && row["expires_at"] != nil && row["due_at"] == nil)

            let id = try #require(row["id"] as? String)
            let detail = try await server.admin("GET", "\(server.adminAPI)/deliveries/\(id)", key: key)
            #expect(detail.field("message.id") == id)
            #expect(detail.text.contains(#""outcome":"permanent""#) && detail.text.contains(#""replayed_by":[]"#))
        }
    }

    @Test func `the list is filtered, and paged newest first`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor)
            for name in ["ada", "bob", "eve"] {
                _ = try await server.begin("\(name)@example.com")
                server.app.clock.advance(by: .minutes(1))
            }
            let list = "\(server.adminAPI)/deliveries"
            let all = try await server.admin("GET", list, key: key).messageIDs
            #expect(all.count == 3)

            let first = try await server.admin("GET", "\(list)?limit=2", key: key)
            let cursor = try #require(first.field("next_cursor"))
            let second = try await server.admin("GET", "\(list)?limit=2&cursor=\(cursor)", key: key)
            #expect(first.messageIDs + second.messageIDs == all && second.field("next_cursor") == nil)
            let elsewhere = try await server.admin("GET", "\(list)?kind=mail.x&cursor=\(cursor)", key: key)
            #expect(elsewhere.problem == .invalidCursor)

            let support = try await server.apiKey(.support)
            _ = try await server.admin("POST", "\(list)/\(all[0])/cancel", key: support, json: "{}")
            let user = try #require(
                try await server.admin("GET", "\(list)?state=cancelled", key: key).messages.first?["user_id"])
            let since = TestClock.start + .seconds(30)
            for (query, expected) in [
                ("state=owed", Array(all[1...])), ("state=cancelled", [all[0]]), ("user=\(user)", [all[0]]),
                ("kind=mail.verification", all), ("kind=mail.other", []), ("address=bob@example.com", [all[1]]),
                ("since=\(since)", Array(all[..<2])), ("until=\(since)", [all[2]]),
            ] as [(String, [String])] {
                let answer = try await server.admin("GET", "\(list)?\(query)", key: key)
                #expect(answer.messageIDs == expected, "\(query) \(answer.text)")
            }
            for query in ["state=lost", "user=ada", "address=nobody", "since=today", "lane=bulk"] {
                #expect(try await server.admin("GET", "\(list)?\(query)", key: key).problem == .invalidRequest)
            }
        }
    }

    @Test func `a message is shown to who may read it and changed by who may write, in its app alone`() async throws {
        try await TestServer.running { server in
            _ = try await server.begin()
            let id = try await server.app.ledger()[0].id
            let other = try await server.otherApp()
            let (auditor, support) = (try await server.apiKey(.auditor), try await server.apiKey(.support))
            let path = "\(server.adminAPI)/deliveries/\(id)"

            #expect(try await server.admin("GET", path, key: auditor).status == 200)
            for deed in ["cancel", "hold", "release", "resend", "redrive"] {
                let refused = try await server.admin("POST", "\(path)/\(deed)", key: auditor, json: "{}")
                #expect(refused.problem == .permissionDenied)
                let elsewhere = "/v1/admin/apps/\(other.id)/deliveries/\(id)"
                let lost = try await server.admin("POST", "\(elsewhere)/\(deed)", key: support, json: "{}")
                #expect(lost.problem == .notFound)
                #expect(try await server.admin("GET", elsewhere, key: support).problem == .notFound)
            }
            let here = try await server.apiKey(.support, in: other.id)
            #expect(try await server.admin("GET", path, key: here).problem == .permissionDenied)
            #expect(try await server.app.ledger().map(\.state) == ["owed"])
        }
    }

    @Test func `each deed answers with the message and leaves its event with who and why`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            _ = try await server.begin()
            let id = try await server.app.ledger()[0].id
            let path = "\(server.adminAPI)/deliveries/\(id)"
            func act(_ deed: String) async throws -> HTTPResponse {
                try await server.admin("POST", "\(path)/\(deed)", key: key, json: #"{"note": "asked by phone"}"#)
            }

            #expect(try await act("hold").field("state") == "held")
            #expect(try await act("release").field("state") == "owed")
            #expect(try await act("resend").problem == .conflict)
            let cancelled = try await act("cancel")
            #expect(cancelled.field("state") == "cancelled" && cancelled.field("reason") == "admin")
            #expect(try await act("redrive").problem == .conflict)
            let resent = try await act("resend")
            #expect(resent.status == 202 && resent.field("replay_of") == "\(id)" && resent.field("state") == "owed")

            let events = try await server.texts(
                """
                select concat_ws(' ', kind, actor_kind, actor_id is not null, details ->> 'note') as text
                  from audit_events where details ->> 'message' = '\(id)' order by transaction_id, id
                """)
            #expect(
                events == ["held", "released", "cancelled", "resent"].map { "message.\($0) api_key t asked by phone" })
        }
    }

    @Test func `a repeat under the same key acts once and is answered as the first`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            _ = try await server.begin()
            let id = try await server.app.ledger()[0].id
            let down = SMTPScript(at: .rcpt, .reply(550, "5.7.1 no"))
            try await MailSink.running(down) { try await server.app.drainOutbox(to: $0) }
            @Sendable func send(_ path: String, _ json: String, as name: String) async throws -> HTTPResponse {
                try await server.admin(
                    "POST", "\(server.adminAPI)/deliveries/\(path)", key: key, json: json, idempotencyKey: name)
            }

            let bounds = #"{"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z", "state": "rejected"}"#
            let bulk = try await race(4) { try await send("redrive", bounds, as: "day") }
            #expect(bulk.allSatisfy { $0.status == 202 && $0.field("redriven") == "1" })
            #expect(Set(bulk.map(\.text)).count == 1)

            // The replay that the first one had found, although it has been delivered since.
            let first = try await send("\(id)/resend", "{}", as: "again").field("id")
            try await MailSink.running { try await server.app.drainOutbox(to: $0) }
            server.app.clock.advance(by: .seconds(1))
            #expect(try await send("\(id)/resend", "{}", as: "again").field("id") == first)
            #expect(try await send("\(id)/resend", "{}", as: "once more").field("id") != first)
            #expect(try await send("\(id)/resend", #"{"note": "x"}"#, as: "again").problem == .idempotencyKeyReused)
        }
    }

    @Test func `a redrive by filter needs bounds and a state that is a failure`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.support)
            let bounds = #""since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z""#
            for json in [
                "{}", #"{"since": "2026-01-01T00:00:00Z"}"#, "{\(bounds), \"state\": \"delivered\"}",
                #"{"since": "2027-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}"#,
                "{\(bounds), \"note\": \"\(String(repeating: "x", count: 501))\"}",
            ] {
                let answer = try await server.admin(
                    "POST", "\(server.adminAPI)/deliveries/redrive", key: key, json: json)
                #expect(answer.problem == .invalidRequest, "\(json)")
            }
        }
    }
}

extension HTTPResponse {
    /// The items of a list of messages.
    fileprivate var messages: [[String: Any]] {
        let answer = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        return answer?["items"] as? [[String: Any]] ?? []
    }
    fileprivate var messageIDs: [String] { messages.compactMap { $0["id"] as? String } }
}
