import Curl
import GatepostAPI
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Whose request it is, where proxies stand in front and where somebody pretends that they do.
@Suite("Client address", .timeLimit(.minutes(2)))
struct ClientAddressTests {
    /// The address that the trail has of a sign-in with these fields, or the problem that it came to.
    private func seen(_ server: TestServer, _ fields: [String] = []) async throws -> String {
        let id = "Test/\(UInt64.random(in: 0...UInt64.max))"
        let body = """
            {"email": "ada@example.com", "password": "seven wrong lanterns", "client_id": "\(server.app.client)", \
            "redirect_uri": "https://app.example/callback", "code_challenge_method": "S256", \
            "code_challenge": "\(String(repeating: "A", count: 43))"}
            """
        let headers =
            [HTTPRequest.Header("Content-Type", "application/json"), .init("User-Agent", id)]
            + fields.map { HTTPRequest.Header("X-Forwarded-For", $0) }
        let answer = try await server.send(
            "POST", "/v1/apps/\(server.app.id)/sign-ins", fields: headers, body: Array(body.utf8))
        guard answer.problem == .invalidCredentials else { return answer.problem?.rawValue ?? "\(answer.status)" }
        let events = try await server.app.database.batch(in: server.app.scope) { batch in
            batch.read("select ip::text from audit_events where user_agent = \(id)") {
                try $0.map { try $0.get("ip", as: String.self) }
            }
        }
        return events.first ?? "none"
    }

    /// The same for several requests, one after the other.
    private func seen(_ server: TestServer, each requests: [[String]]) async throws -> [String] {
        var addresses: [String] = []
        for fields in requests { addresses.append(try await seen(server, fields)) }
        return addresses
    }

    @Test func `without a trusted proxy the field is not read, whatever is in it`() async throws {
        for proxies in [[], ["10.0.0.0/8"]] {
            try await TestServer.running(trustedProxies: proxies) { server in
                let addresses = try await seen(
                    server, each: [[], ["203.0.113.9"], ["no address, at all"], ["10.1.2.3", "203.0.113.9,"]])
                #expect(addresses == Array(repeating: "127.0.0.1", count: 4))
            }
        }
    }

    @Test func `behind trusted proxies it is read from the right, up to the first that is none`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"]) { server in
            let addresses = try await seen(
                server,
                each: [
                    ["203.0.113.9"], ["198.51.100.1, 203.0.113.9, 10.1.2.3"], ["198.51.100.1", "203.0.113.9,10.1.2.3"],
                    [" 203.0.113.9:4711 ,fd00::1"], ["[2001:DB8::9]:4711, [fd00::1]"], ["::ffff:203.0.113.9"],
                    ["10.9.9.9, 10.1.2.3"], [],
                ])
            #expect(
                addresses == [
                    "203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.9", "2001:db8::9", "203.0.113.9",
                    "10.9.9.9", "127.0.0.1",
                ])
        }
    }

    /// What a caller wrote himself stands left of what the proxy added, and is never looked at.
    @Test func `a forged entry on the left changes nothing`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            let forged = ["10.0.0.1", "127.0.0.2", "no address", "", "'; drop table users", ",,,"]
            let addresses = try await seen(server, each: forged.map { [$0 + ", 203.0.113.9"] })
            #expect(addresses == Array(repeating: "203.0.113.9", count: forged.count))
        }
    }

    @Test(arguments: [
        "unknown", "_hidden", "203.0.113.9,", ",", "203.0.113.9 198.51.100.1", "203.0.113", "203.0.113.9:",
        "203.0.113.9:x", "203.0.113.9:123456", "[203.0.113.9]", "[2001:db8::9", "2001:db8::9]", "localhost",
        "for=203.0.113.9", "203.0.113.9, nobody",
    ])
    func `abuse case 27: an entry that is no address refuses the request instead of skipping a check`(
        field: String
    ) async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            let code = try await seen(server, [field])
            #expect(code == "invalid_request")
            let page = try await server.send("GET", "/openapi.json", headers: ["X-Forwarded-For": field])
            #expect(page.status == 400)
        }
    }

    @Test func `the log has the same address`() async throws {
        try await TestServer.running(trustedProxies: ["127.0.0.0/8"]) { server in
            _ = try await seen(server, ["203.0.113.9"])
            #expect(server.logs.all.contains { $0.contains("client.ip=203.0.113.9 ") })
            #expect(!server.logs.all.contains { $0.contains("client.ip=127.0.0.1") })
        }
    }
}
