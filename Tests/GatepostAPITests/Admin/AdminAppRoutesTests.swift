import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Admin: apps")
struct AdminAppRoutesTests {
    /// The details of the events of a kind, as JSON.
    private func details(_ kind: String, _ server: TestServer) async throws -> [String] {
        try await server.texts(
            "select details::text as text from audit_events where kind = '\(kind)' order by transaction_id, id")
    }

    @Test func `a name and settings are changed, and the event says what was and what is`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin, in: server.app.id)
            let changed = try await server.admin(
                "PATCH", server.adminAPI, key: key,
                json: #"{"name": "Harbour", "settings": {"access_token_seconds": 120, "session_seconds": 86400}}"#)
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed.field("name") == "Harbour" && changed.field("settings.access_token_seconds") == "120")

            let cleared = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"settings": {"access_token_seconds": null}}"#)
            #expect(cleared.field("settings.access_token_seconds") == nil)
            #expect(cleared.field("settings.session_seconds") == "86400" && cleared.field("name") == "Harbour")
            #expect(
                try await details("app.changed", server) == [
                    #"{"name": "Harbour", "name_before": "Test app", "session_seconds": "86400", "#
                        + #""access_token_seconds": "120", "session_seconds_before": "default", "#
                        + #""access_token_seconds_before": "default"}"#,
                    #"{"access_token_seconds": "default", "access_token_seconds_before": "120"}"#,
                ])
            try await server.verifiedUser()
            let code = try #require(try await server.signIn().field("code"))
            #expect(try await server.exchange(code).field("expires_in") == "600")
        }
    }

    @Test func `what is out of bounds or unknown changes nothing`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let attempts: [(String, ProblemCode)] = [
                ("{}", .invalidRequest), (#"{"name": ""}"#, .invalidRequest),
                (#"{"settings": {"access_token_seconds": 59}}"#, .invalidRequest),
                (#"{"settings": {"access_token_seconds": "600"}}"#, .invalidRequest),
                (#"{"settings": {"access_seconds": 600}}"#, .unknownField), (#"{"state": "active"}"#, .unknownField),
                (#"{"settings": []}"#, .invalidRequest),
            ]
            for (json, problem) in attempts {
                let answer = try await server.admin("PATCH", server.adminAPI, key: key, json: json)
                #expect(answer.problem == problem, "\(json): \(answer.text)")
            }
            let same = try await server.admin("PATCH", server.adminAPI, key: key, json: #"{"name": "Test app"}"#)
            #expect(same.status == 200 && same.field("settings.access_token_seconds") == nil)
            #expect(try await details("app.changed", server) == [])
        }
    }

    @Test func `a repeat under the same key changes once`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let name = "\(server.app.newID(UserID.self))"
            for value in [300, 300] {
                let answer = try await server.admin(
                    "PATCH", server.adminAPI, key: key,
                    json: #"{"settings": {"access_token_seconds": \#(value)}}"#, idempotencyKey: name)
                #expect(answer.status == 200)
            }
            let other = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"name": "Other"}"#, idempotencyKey: name)
            #expect(other.problem == .idempotencyKeyReused)
            #expect(try await details("app.changed", server).count == 1)
        }
    }
}
