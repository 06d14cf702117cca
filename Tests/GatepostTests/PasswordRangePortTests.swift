import GatepostDelivery
@testable import GatepostFlows
import GatepostModel
import GatepostTelemetry
import TestSupport
import Testing

@testable import gatepost

/// The program's way to a server of leaked passwords: what it counts and logs.
@Suite("The way to a range server", .timeLimit(.minutes(1)))
struct PasswordRangePortTests {
    private let metrics = MetricRegistry()
    private let logs = LogLines()

    private func ask(_ answer: [HTTPSink.Step]) async throws -> PasswordRangePort.Reply {
        try await HTTPSink.running({ _ in answer }) { sink in
            let server = PasswordRangeServer(url: sink.url("/range"), through: try TestApp.loopbackTransport())
            return await PasswordRangePort(asking: server, metrics: metrics, logger: logs.logger).ask("21BD1")
        }
    }

    private func count(_ outcome: String) -> Int? {
        let name = "gatepost_password_range_checks_total{outcome=\"\(outcome)\"} "
        let line = metrics.text().split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.dropFirst(name.count)) }
    }

    @Test func `an answer is counted and not logged`() async throws {
        let reply = try await ask(HTTPSink.answer(200, "0018A45C4D1DEF81644B54AB7F969B88D65:12"))
        guard case .counts(let counts) = reply else {
            Issue.record("there is no answer")
            return
        }
        #expect(counts.count == 1)
        #expect(count("answered") == 1 && count("unanswered") == 0 && logs.all.isEmpty)
    }

    @Test func `that there is none is counted and logged, and nothing of what was asked`() async throws {
        guard case .unanswered = try await ask(HTTPSink.answer(503)) else {
            Issue.record("there is an answer")
            return
        }
        #expect(count("answered") == 0 && count("unanswered") == 1)
        #expect(logs.count(of: "taken unchecked reason=the status is 503") == 1)
        #expect(logs.count(of: "21BD1") == 0)
    }
}
