import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Admin: clients")
struct AdminClientRoutesTests {
    @Test func `a client is added, listed and changed, and each step is on record`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let path = "\(server.adminAPI)/clients"
            let created = try await server.admin(
                "POST", path, key: key,
                json: #"{"name": "Phone", "type": "public", "redirect_uris": ["com.example.app:/done"]}"#)
            #expect(created.status == 201 && created.field("secret") == nil, "\(created.text)")
            let id = try #require(created.field("id"))
            let changed = try await server.admin(
                "PATCH", "\(path)/\(id)", key: key, json: #"{"name": "App", "redirect_uris": ["https://a.example/"]}"#)
            #expect(changed.field("name") == "App" && changed.text.contains("https://a.example/"))
            #expect(!changed.text.contains("com.example.app"))
            let list = try await server.admin("GET", path, key: key)
            #expect(list.text.contains(id) && list.text.contains("\(server.app.client)"))
            let events = try await server.texts(
                """
                select concat_ws(' ', kind, details ->> 'fields') as text from audit_events
                 where kind like 'client%' order by transaction_id
                """)
            #expect(events == ["client.created", "client.changed name redirect_uris"])
        }
    }

    @Test func `whose a client is and how it knows users is changed by name, and is on record`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let path = "\(server.adminAPI)/clients/\(server.app.client)"
            func change(_ json: String) async throws -> HTTPResponse {
                try await server.admin("PATCH", path, key: key, json: json)
            }
            let third = try await change(#"{"party": "third_party"}"#)
            #expect(third.field("party") == "third_party" && third.field("subject_type") == "public", "\(third.text)")
            let pairwise = try await change(#"{"subject_type": "pairwise"}"#)
            #expect(pairwise.field("party") == "third_party" && pairwise.field("subject_type") == "pairwise")
            let back = try await change(#"{"party": "first_party", "subject_type": "public"}"#)
            #expect(back.field("party") == "first_party" && back.field("subject_type") == "public")
            for wrong in [#"{"party": "first"}"#, #"{"subject_type": "private"}"#, #"{"party": ""}"#] {
                #expect(try await change(wrong).problem == .invalidRequest, "\(wrong)")
            }
            let shown = try await server.admin("GET", path, key: key)
            #expect(shown.field("party") == "first_party" && shown.field("subject_type") == "public")
            let fields = try await server.texts(
                """
                select details ->> 'fields' as text from audit_events
                 where kind = 'client.changed' order by transaction_id
                """)
            #expect(fields == ["party", "subject_type", "party subject_type"])
        }
    }

    static let bodies = [
        #"{"name": "", "type": "public"}"#, #"{"name": "A", "type": "secret"}"#, #"{"name": "A"}"#,
        #"{"name": "A", "type": "public", "redirect_uris": ["http://a.example/"]}"#,
        #"{"name": "A", "type": "public", "redirect_uris": ["javascript:alert(1)"]}"#,
        #"{"name": "A", "type": "public", "redirect_uris": ["https://a.example/#a"]}"#,
    ]

    @Test func `what a client cannot be is refused`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            for body in Self.bodies {
                let answer = try await server.admin("POST", "\(server.adminAPI)/clients", key: key, json: body)
                #expect(answer.problem == .invalidRequest, "\(body): \(answer.text)")
            }
        }
    }

    @Test func `a public client has no secret to rotate, and nobody finds another app's client`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let path = "\(server.adminAPI)/clients/\(server.app.client)/rotate-secret"
            #expect(try await server.admin("POST", path, key: key, json: "{}").problem == .conflict)
            let other = try await server.otherApp()
            let foreign = "\(server.adminAPI)/clients/\(other.client)"
            #expect(try await server.admin("GET", foreign, key: key).problem == .notFound)
            #expect(
                try await server.admin("PATCH", foreign, key: key, json: #"{"name": "Mine"}"#).problem == .notFound)
        }
    }

    @Test func `the last of two hundred clients is the last`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let body = #"{"name": "One more", "type": "public"}"#
            try await server.tamper(
                """
                insert into clients (app_id, id, name, created_at)
                select \(server.sqlID), gen_random_uuid(), 'Many', now() from generate_series(1, 198)
                """)
            #expect(try await server.admin("POST", "\(server.adminAPI)/clients", key: key, json: body).status == 201)
            let more = try await server.admin("POST", "\(server.adminAPI)/clients", key: key, json: body)
            #expect(more.problem == .conflict)
        }
    }
}
