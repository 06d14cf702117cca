import Curl
import GatepostAPI
import GatepostModel
import Postgres
import TestSupport
import Testing

/// Whose request it is, where proxies stand in front and where somebody pretends that they do.
@Suite("Client address", .timeLimit(.minutes(2)))
struct ClientAddressTests {
    /// The address that the trail has of a sign-in with these fields, or the problem that it came to.
    private func seen(_ server: TestServer, _ fields: String...) async throws -> String {
        let body = """
            {"email": "ada@example.com", "password": "seven wrong lanterns", "client_id": "\(server.app.client)", \
            "redirect_uri": "https://app.example/callback", "code_challenge_method": "S256", \
            "code_challenge": "\(String(repeating: "A", count: 43))"}
            """
        let headers =
            [HTTPRequest.Header("Content-Type", "application/json")]
            + fields.map { HTTPRequest.Header("X-Forwarded-For", $0) }
        let answer = try await server.send(
            "POST", "/v1/apps/\(server.app.id)/sign-ins", fields: headers, body: Array(body.utf8))
        guard answer.problem == .invalidCredentials else { return answer.problem?.rawValue ?? "\(answer.status)" }
        let events = try await server.app.database.batch(in: server.app.scope) { batch in
            batch.read("select ip::text from audit_events where app_id = \(server.app.id) order by id desc limit 1") {
                try $0.map { try $0.get("ip", as: String.self) }
            }
        }
        return events.first ?? "none"
    }

    @Test func `without a trusted proxy the field is not read, whatever is in it`() async throws {
        try await TestServer.running { server in
            #expect(try await seen(server) == "127.0.0.1")
            #expect(try await seen(server, "203.0.113.9") == "127.0.0.1")
            #expect(try await seen(server, "no address, at all", "") == "127.0.0.1")
        }
        try await TestServer.running(trustedProxies: ["10.0.0.0/8"]) { server in
            #expect(try await seen(server, "203.0.113.9") == "127.0.0.1")
        }
    }

    @Test func `behind trusted proxies it is read from the right, up to the first that is none`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"]) { server in
            #expect(try await seen(server, "203.0.113.9") == "203.0.113.9")
            #expect(try await seen(server, "198.51.100.1, 203.0.113.9, 10.1.2.3") == "203.0.113.9")
            #expect(try await seen(server, "198.51.100.1", "203.0.113.9,10.1.2.3") == "203.0.113.9")
            #expect(try await seen(server, " 203.0.113.9:4711 ,fd00::1") == "203.0.113.9")
            #expect(try await seen(server, "[2001:DB8::9]:4711, [fd00::1]") == "2001:db8::9")
            #expect(try await seen(server, "::ffff:203.0.113.9") == "203.0.113.9")
            #expect(try await seen(server, "10.9.9.9, 10.1.2.3") == "10.9.9.9")
            #expect(try await seen(server) == "127.0.0.1")
        }
    }

    /// What a caller wrote himself stands left of what the proxy added, and is never looked at.
    @Test func `a forged entry on the left changes nothing`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            for forged in ["10.0.0.1", "127.0.0.1", "no address", "", "'; drop table users", ",,,"] {
                #expect(try await seen(server, forged + ", 203.0.113.9") == "203.0.113.9")
            }
        }
    }

    @Test(arguments: [
        "", " ", "unknown", "_hidden", "203.0.113.9,", ",", "203.0.113.9 198.51.100.1", "203.0.113", "203.0.113.9:",
        "203.0.113.9:x", "203.0.113.9:123456", "[203.0.113.9]", "[2001:db8::9", "2001:db8::9]", "localhost",
        "for=203.0.113.9", "203.0.113.9, nobody",
    ])
    func `abuse case 27: an entry that is no address refuses the request instead of skipping a check`(
        field: String
    ) async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            #expect(try await seen(server, field) == "invalid_request")
            let page = try await server.send("GET", "/openapi.json", headers: ["X-Forwarded-For": field])
            #expect(page.status == 400)
        }
    }

    @Test func `the log has the same address`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            _ = try await seen(server, "203.0.113.9")
            #expect(server.logs.all.contains { $0.contains("client.ip=203.0.113.9 ") })
            #expect(!server.logs.all.contains { $0.contains("client.ip=127.0.0.1") })
        }
    }
}
