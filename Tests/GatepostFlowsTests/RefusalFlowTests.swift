import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Refusals before a flow", .showsSeed)
struct RefusalFlowTests {
    @Test func `a write that never reached its flow is recorded in its app`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let untouched = try await other.rows()

        try await test.expectRefusal(.requestRefused, "malformed_json") {
            try await test.flows.refusal.record(.malformedJSON, in: test.scope, from: TestFlows.origin)
        }

        #expect(try await other.rows() == untouched)
    }
}
