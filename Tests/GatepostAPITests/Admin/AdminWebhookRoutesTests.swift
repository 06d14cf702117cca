import Curl
import Foundation
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Admin: webhooks", .timeLimit(.minutes(5)))
struct AdminWebhookRoutesTests {
    private static let body = #"{"url": "https://hooks.example.com/", "event_types": ["user.created"]}"#

    /// Runs a test with an admin's key and the path of the app's endpoints.
    private func running(_ body: (TestServer, _ key: String, _ path: String) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await body(server, try await server.apiKey(.admin), "\(server.adminAPI)/webhook-endpoints")
        }
    }

    @Test func `an endpoint is added, listed, changed and deleted, and each step is on record`() async throws {
        try await running { server, key, path in
            let created = try await server.admin(
                "POST", path, key: key,
                json: """
                    {"url": "https://Hooks.Example.com/x?y=z", "description": "Shop",
                     "event_types": ["user.created", "session.ended"]}
                    """)
            #expect(created.status == 201, "\(created.text)")
            let id = try #require(created.field("id"))
            #expect(created.field("url") == "https://hooks.example.com/x?y=z" && created.field("state") == "enabled")
            #expect(created.field("secret")?.hasPrefix("whsec_") == true)

            let shown = try await server.admin("GET", "\(path)/\(id)", key: key)
            #expect(shown.field("description") == "Shop" && shown.field("secret") == nil)
            let list = try await server.admin("GET", path, key: key)
            #expect(list.users.map { $0["id"] as? String } == [id] && !list.text.contains("whsec_"))

            let off = try await server.admin("PATCH", "\(path)/\(id)", key: key, json: #"{"state": "disabled"}"#)
            #expect(off.field("state") == "disabled" && off.field("disabled_reason") == "by_admin")
            let on = try await server.admin(
                "PATCH", "\(path)/\(id)", key: key,
                json: #"{"state": "enabled", "url": "https://b.example.com/", "event_types": ["user.verified"]}"#)
            #expect(on.field("state") == "enabled" && on.field("disabled_at") == nil)
            #expect(on.field("url") == "https://b.example.com/" && on.text.contains("user.verified"))

            #expect(try await server.admin("DELETE", "\(path)/\(id)", key: key).status == 204)
            #expect(try await server.admin("GET", "\(path)/\(id)", key: key).problem == .notFound)
            let events = try await server.texts(
                """
                select concat_ws(' ', kind, reason, details ->> 'fields', details ->> 'webhook_endpoint') as text
                  from audit_events where kind like 'webhook%' order by transaction_id
                """)
            #expect(
                events == [
                    "webhook_endpoint.created \(id)", "webhook_endpoint.disabled by_admin state \(id)",
                    "webhook_endpoint.changed url event_types state \(id)", "webhook_endpoint.deleted \(id)",
                ])
        }
    }

    @Test func `a rotation gives a new secret once, and the old one lives for the time that is asked`() async throws {
        try await running { server, key, path in
            let created = try await server.admin("POST", path, key: key, json: Self.body)
            let id = try #require(created.field("id"))
            let rotate = "\(path)/\(id)/rotate-secret"
            let first = try await server.admin("POST", rotate, key: key, json: "{}")
            #expect(first.status == 200 && first.field("secret") != created.field("secret"), "\(first.text)")
            #expect(first.field("old_secret_expires_at") == "\(server.app.clock.now + .hours(24))")
            let second = try await server.admin("POST", rotate, key: key, json: #"{"old_secret_seconds": 60}"#)
            #expect(second.field("old_secret_expires_at") == "\(server.app.clock.now + .minutes(1))")
            #expect(Set([created, first, second].map { $0.field("secret") }).count == 3)
            // At most two: the first one is gone with the second rotation.
            #expect(try await server.texts("select count(*)::text as text from webhook_secrets") == ["2"])
            let last = try await server.admin("POST", rotate, key: key, json: #"{"old_secret_seconds": 0}"#)
            #expect(last.field("old_secret_expires_at") == nil && last.field("secret") != nil)

            for json in [#"{"old_secret_seconds": -1}"#, #"{"old_secret_seconds": 604801}"#] {
                #expect(try await server.admin("POST", rotate, key: key, json: json).problem == .invalidRequest)
            }
            let again = try await race(6) { try await server.admin("POST", rotate, key: key, json: "{}") }
            #expect(again.allSatisfy { $0.status == 200 })
            #expect(try await server.texts("select count(*)::text as text from webhook_secrets") == ["2"])
        }
    }

    @Test func `a secret is stored sealed and stands in no answer, log or event afterwards`() async throws {
        try await running { server, key, path in
            let created = try await server.admin("POST", path, key: key, json: Self.body)
            let secret = try #require(created.field("secret")?.dropFirst("whsec_".count))
            let bytes = try #require(Data(base64Encoded: String(secret)))
            let rows = try await server.texts(
                """
                select string_agg(t, ' ') as text from (
                  select e::text as t from webhook_endpoints as e union all select s::text from webhook_secrets as s
                  union all select a::text from audit_events as a) as rows
                """)
            let hex = bytes.map { String(format: "%02x", $0) }.joined()
            #expect(rows.allSatisfy { !$0.contains(secret) && !$0.contains(hex) } && rows[0].count > 100)
            #expect(server.logs.all.allSatisfy { !$0.contains(secret) })
        }
    }

    @Test func `no spelling of a private host is taken, and none is stored`() async throws {
        try await running { server, key, path in
            for host in PrivateHosts.all {
                for authority in [host, host + ":443"] {
                    let body = try JSONSerialization.data(
                        withJSONObject: ["url": "https://\(authority)/", "event_types": ["user.created"]])
                    let answer = try await server.admin(
                        "POST", path, key: key, json: String(decoding: body, as: UTF8.self))
                    #expect(answer.problem == .invalidWebhookURL, "\(authority): \(answer.text)")
                }
            }
            #expect(try await server.texts("select url as text from webhook_endpoints") == [])
            let created = try await server.admin("POST", path, key: key, json: Self.body)
            let id = try #require(created.field("id"))
            let change = try await server.admin(
                "PATCH", "\(path)/\(id)", key: key, json: #"{"url": "https://127.0.0.1/"}"#)
            #expect(change.problem == .invalidWebhookURL)
        }
    }

    @Test(arguments: [
        #"{"url": "https://hooks.example.com/"}"#, #"{"event_types": ["user.created"]}"#,
        #"{"url": "https://hooks.example.com/", "event_types": []}"#,
        #"{"url": "https://hooks.example.com/", "event_types": ["user.exploded"]}"#,
        #"{"url": "https://hooks.example.com/", "event_types": ["user.created", "user.created"]}"#,
    ])
    func `an endpoint names a URL and at least one event that there is`(json: String) async throws {
        try await running { server, key, path in
            #expect(try await server.admin("POST", path, key: key, json: json).problem == .invalidRequest)
            let long = String(repeating: "x", count: WebhookEndpointRecord.descriptionLengthMax + 1)
            let described = try await server.admin(
                "POST", path, key: key,
                json: #"{"url": "https://a.example/", "event_types": ["user.created"], "description": "\#(long)"}"#)
            #expect(described.problem == .invalidRequest)
        }
    }

    @Test func `a change names at least one field, with a value that there is`() async throws {
        try await running { server, key, path in
            let id = try #require(try await server.admin("POST", path, key: key, json: Self.body).field("id"))
            for json in ["{}", #"{"state": "broken"}"#, #"{"event_types": []}"#] {
                let answer = try await server.admin("PATCH", "\(path)/\(id)", key: key, json: json)
                #expect(answer.problem == .invalidRequest, "\(json)")
            }
            let unknown = try await server.admin("PATCH", "\(path)/\(id)", key: key, json: #"{"secret": "x"}"#)
            #expect(unknown.problem == .unknownField)
        }
    }

    @Test func `racing requests do not add more endpoints than an app may have`() async throws {
        try await running { server, key, path in
            for _ in 0..<WebhookEndpointRecord.countMax - 2 {
                _ = try await server.admin("POST", path, key: key, json: Self.body)
            }
            let answers = try await race(6) { try await server.admin("POST", path, key: key, json: Self.body) }

            #expect(answers.count { $0.status == 201 } == 2)
            #expect(answers.filter { $0.status != 201 }.allSatisfy { $0.problem == .tooManyWebhookEndpoints })
        }
    }

    @Test func `an endpoint of another app is not there, and who may only read changes nothing`() async throws {
        try await running { server, key, path in
            let other = try await server.otherApp()
            let id = try #require(try await server.admin("POST", path, key: key, json: Self.body).field("id"))
            let elsewhere = "/v1/admin/apps/\(other.id)/webhook-endpoints/\(id)"
            for (method, path, json) in [
                ("GET", elsewhere, nil), ("PATCH", elsewhere, #"{"state": "disabled"}"#), ("DELETE", elsewhere, nil),
                ("POST", elsewhere + "/rotate-secret", "{}"),
            ] {
                #expect(try await server.admin(method, path, key: key, json: json).problem == .notFound, "\(method)")
            }
            let support = try await server.apiKey(.support)
            #expect(try await server.admin("GET", "\(path)/\(id)", key: support).status == 200)
            for (method, path, json) in [
                ("POST", path, Self.body), ("PATCH", "\(path)/\(id)", "{}"), ("DELETE", "\(path)/\(id)", nil),
                ("POST", "\(path)/\(id)/rotate-secret", "{}"),
            ] {
                let answer = try await server.admin(method, path, key: support, json: json)
                #expect(answer.problem == .permissionDenied, "\(method)")
            }
        }
    }

    @Test func `an answer with a secret has no repeat, a change has`() async throws {
        try await running { server, key, path in
            let refused = try await server.admin("POST", path, key: key, json: Self.body, idempotencyKey: "one")
            #expect(refused.problem == .invalidIdempotencyKey)
            let id = try #require(try await server.admin("POST", path, key: key, json: Self.body).field("id"))
            for _ in 1...2 {
                let answer = try await server.admin("DELETE", "\(path)/\(id)", key: key, idempotencyKey: "two")
                #expect(answer.status == 204)
            }
            let events = try await server.texts(
                "select kind as text from audit_events where kind = 'webhook_endpoint.deleted'")
            #expect(events.count == 1)
        }
    }
}
