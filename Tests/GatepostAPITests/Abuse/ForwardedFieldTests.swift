import Curl
@testable import GatepostAPI
import GatepostModel
import TestSupport
import Testing

/// Whose request it is, where the proxies in front write `Forwarded` (RFC 7239).
@Suite("Forwarded", .timeLimit(.minutes(2)))
struct ForwardedFieldTests {
    private static let proxies = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"]

    /// The address that the log has of a request with these fields, or the status that it was refused with.
    private func seen(
        _ lines: [String], forwardedFor: String? = nil, by field: ForwardingField = .forwarded,
        trusted: [String] = proxies
    ) async throws -> String {
        try await TestServer.running(trustedProxies: trusted, forwardingField: field) { server in
            let headers =
                lines.map { HTTPRequest.Header("Forwarded", $0) }
                + (forwardedFor.map { [HTTPRequest.Header("X-Forwarded-For", $0)] } ?? [])
            let answer = try await server.send("GET", "/openapi.json", fields: headers, body: nil)
            guard answer.status == 200 else { return "\(answer.status)" }
            let line = server.logs.all.last { $0.contains("client.ip=") } ?? ""
            return line.firstMatch(of: /client\.ip=(\S+)/).map { String($0.1) } ?? "none"
        }
    }

    @Test(arguments: [
        (["for=203.0.113.9"], "203.0.113.9"), (["For=203.0.113.9;proto=https;by=10.0.0.1"], "203.0.113.9"),
        (["proto=https ; for=\"203.0.113.9:4711\""], "203.0.113.9"), (["for=\"[2001:DB8::9]\""], "2001:db8::9"),
        (["for=\"[2001:db8::9]:4711\", for=\"[fd00::1]\""], "2001:db8::9"),
        (["for=198.51.100.1, for=203.0.113.9, for=10.1.2.3"], "203.0.113.9"),
        (["for=198.51.100.1", "for=203.0.113.9,for=10.1.2.3"], "203.0.113.9"),
        (["for=unknown, for=203.0.113.9;host=\"a \\\" b, c\""], "203.0.113.9"),
        (["for=\"203.0.113.9:_obscured\""], "203.0.113.9"), (["for=\"\\203.0.113.9\""], "203.0.113.9"),
        (["nonsense\"", "for=203.0.113.9"], "203.0.113.9"), (["for=10.9.9.9, for=10.1.2.3"], "10.9.9.9"),
        ([], "127.0.0.1"),
    ])
    func `it is read from the right, up to the first that is no trusted proxy`(
        lines: [String], address: String
    ) async throws {
        #expect(try await seen(lines) == address)
    }

    @Test(arguments: [
        "for=unknown", "for=_hidden", "for=\"_hidden:_port\"", "proto=https", "", ",", "for=203.0.113.9,",
        "for=203.0.113.9;;for=203.0.113.9", "for=203.0.113.9;for=198.51.100.1", "for=", "for=\"\"", "for",
        "203.0.113.9", "for=2001:db8::9", "for=\"2001:db8::9\"", "for=[2001:db8::9]", "for=\"[203.0.113.9]\"",
        "for=\"203.0.113.9:\"", "for=\"203.0.113.9:123456\"", "for=\"203.0.113.9:x\"", "for=\"203.0.113.9",
        "for=\"203.0.113.9\\", "for=203.0.113.9 for=198.51.100.1", "for = 203.0.113.9", "=203.0.113.9",
        "for=203.0.113", "for=\"[2001:db8::9\"", "for=198.51.100.1;x=\", for=203.0.113.9",
        "for=198.51.100.1;x=\", for=\"203.0.113.9:80\"", "for=203.0.113.9, for=nobody",
    ])
    func `a line that cannot be read refuses the request instead of skipping a check`(line: String) async throws {
        #expect(try await seen([line]) == "400")
    }

    @Test func `only the field that is set is read, whatever the other says`() async throws {
        #expect(try await seen([], forwardedFor: "203.0.113.9") == "127.0.0.1")
        #expect(try await seen(["for=198.51.100.1"], forwardedFor: "nobody") == "198.51.100.1")
        let other = try await seen(["for=198.51.100.1"], forwardedFor: "203.0.113.9", by: .xForwardedFor)
        #expect(other == "203.0.113.9")
        #expect(try await seen(["for=\"open"], by: .xForwardedFor) == "127.0.0.1")
    }

    @Test func `from anybody but a trusted proxy it is not read`() async throws {
        for line in ["for=203.0.113.9", "for=\"open"] {
            #expect(try await seen([line], trusted: []) == "127.0.0.1")
            #expect(try await seen([line], trusted: ["10.0.0.0/8"]) == "127.0.0.1")
        }
    }

    @Test func `the refusal names the field that is read`() async throws {
        try await TestServer.running(trustedProxies: Self.proxies, forwardingField: .forwarded) { server in
            let answer = try await server.send("GET", "/openapi.json", headers: ["Forwarded": "for=unknown"])
            #expect(answer.status == 400 && answer.text.contains("Forwarded has an entry that is not an address."))
        }
    }
}
