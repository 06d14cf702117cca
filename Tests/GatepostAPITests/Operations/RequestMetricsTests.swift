import Curl
import GatepostAPI
import GatepostModel
import GatepostTelemetry
import TestSupport
import Testing

@Suite("Request metrics")
struct RequestMetricsTests {
    private func count(_ server: TestServer, _ labels: String) -> Int {
        let prefix = "gatepost_http_requests_total{\(labels)} "
        let lines = server.metrics.text().split(separator: "\n").filter { $0.hasPrefix(prefix) }
        return lines.first.flatMap { Int($0.dropFirst(prefix.count)) } ?? 0
    }

    @Test func `requests are counted by route template and class of status`() async throws {
        try await TestServer.running { server in
            _ = try await server.begin()
            _ = try await server.begin()
            _ = try await server.post("\(server.api)/sign-ups", json: "{")
            _ = try await server.send("HEAD", "/health/live")
            _ = try await server.send("GET", "/health/live")

            let route = #"method="POST",route="/v1/apps/{app}/sign-ups""#
            #expect(count(server, #"\#(route),status="2xx""#) == 2)
            #expect(count(server, #"\#(route),status="4xx""#) == 1)
            #expect(count(server, #"method="GET",route="/health/live",status="2xx""#) == 2)
            #expect(server.metrics.text().contains("gatepost_http_request_duration_seconds_count{\(route)} 3\n"))
        }
    }

    @Test func `what a caller makes up adds no series`() async throws {
        try await TestServer.running { server in
            for path in ["/nothing", "/v1/apps/app_made-up", "/%22%0A", "/apps/x/y/z"] {
                _ = try await server.send("GET", path)
            }
            for method in ["LOCK", "PROPFIND", "DELETE"] { _ = try await server.send(method, "/health/live") }

            #expect(count(server, #"method="-",route="-",status="4xx""#) == 7)
            let text = server.metrics.text()
            for word in ["nothing", "made-up", "LOCK", "PROPFIND"] { #expect(!text.contains(word)) }
        }
    }
}
