import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job enqueue-partition-upkeep", .ownDatabase)
struct EnqueuePartitionUpkeepTests {
    private let now = JobFixture.now

    @Test func `the upkeep is owed in the name of the built-in app, and once while nobody has claimed it`() async throws
    {
        try await JobFixture.with { fixture in
            let report = try await fixture.sweep("enqueue-partition-upkeep")
            let again = try await fixture.sweep("enqueue-partition-upkeep", at: now + .hours(6))

            #expect(report.rowsByApp == [.gatepost: 1] && again.rowCount == 0)
            let messages = try await fixture.execute("select app_id, kind, lane, route, ready, expires_at from outbox")
            let message = try #require(messages.first)
            #expect(messages.count == 1)
            #expect(try message.get("app_id") == AppID.gatepost)
            #expect(try message.get("kind") == PartitionUpkeep.kind.rawValue)
            #expect(try message.get("lane") == "notice")
            #expect(try message.get("route") == OutboxMessage.localRoute)
            #expect(try message.get("ready") == true)
            #expect(try message.get("expires_at") == now + .days(1))
        }
    }

    @Test func `while a worker has one in hand, the next one is owed all the same`() async throws {
        try await JobFixture.with { fixture in
            _ = try await fixture.sweep("enqueue-partition-upkeep")
            try await fixture.execute("update outbox set claim_number = 1, ready = false")

            #expect(try await fixture.sweep("enqueue-partition-upkeep", at: now + .hours(6)).rowCount == 1)
        }
    }
}
