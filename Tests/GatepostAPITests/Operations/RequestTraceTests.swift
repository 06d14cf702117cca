import Curl
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Request traces")
struct RequestTraceTests {
    static let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// The traces of what the server's app owes.
    private func owed(_ server: TestServer) async throws -> [String?] {
        try await server.app.database.batch(in: server.app.scope) { batch in
            batch.read("select trace from outbox where app_id = \(server.app.id)") { rows in
                try rows.map { try $0.get("trace", as: String?.self) }
            }
        }
    }

    @Test func `what a request owes carries its trace, at the request's own span`() async throws {
        try await TestServer.running { server in
            let body = #"{"email": "ada@example.com", "password": "\#(TestServer.password)"}"#
            let answer = try await server.post(
                "\(server.api)/sign-ups", json: body, headers: ["traceparent": Self.header])
            #expect(answer.status == 202)

            let trace = try #require(try await owed(server).first ?? nil)
            #expect(trace.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") && trace.hasSuffix("-01"))
            #expect(trace != Self.header)
        }
    }

    @Test func `a mail that merges with one that waits carries the newer request's trace, as it carries its flow`()
        async throws
    {
        try await TestServer.running { server in
            let body = #"{"email": "ada@example.com", "password": "\#(TestServer.password)"}"#
            _ = try await server.post("\(server.api)/sign-ups", json: body)
            let first = try await owed(server)
            _ = try await server.post("\(server.api)/sign-ups", json: body, headers: ["traceparent": Self.header])

            let merged = try await owed(server)
            #expect(first.count == 1 && merged.count == 1)
            #expect(merged[0]?.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") == true)
        }
    }

    @Test func `an answer names its request, also where it is a refusal`() async throws {
        try await TestServer.running { server in
            let answer = try await server.send("GET", "/nothing")
            let id = try #require(answer.header("X-Request-Id"))
            #expect(answer.field("instance") == "urn:gatepost:request:\(id)")
            #expect(server.logs.all.contains { $0.contains("request.id=\(id) ") })
            // A caller names nothing: the id is ours.
            let other = try await server.send("GET", "/nothing", headers: ["X-Request-Id": "mine"])
            #expect(other.header("X-Request-Id") != "mine" && other.header("X-Request-Id") != id)
        }
    }
}
