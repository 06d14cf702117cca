import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-past-deliveries", .ownDatabase)
struct DeletePastDeliveriesTests {
    private let now = JobFixture.now
    private let moment: Duration = .microseconds(1)

    @Test func `what became of messages of an app that keeps less than others go at its own limit, in batches`()
        async throws
    {
        try await JobFixture.with { fixture in
            try await PartitionKeeper(database: fixture.database).keep(days: -14...0, before: now)
            let brief = try await fixture.makeApp(settings: #"{"delivery_history_seconds": 432000}"#)
            let usual = try await fixture.makeApp()
            // In partitions of several days, and in the default one.
            try await insert(700, of: brief, endedAt: now - .days(6), in: fixture)
            try await insert(2, of: brief, endedAt: now - .days(5) - moment, in: fixture)
            try await insert(3, of: brief, endedAt: now - .days(5), in: fixture)
            try await insert(4, of: brief, endedAt: now - .days(33), in: fixture)
            try await insert(5, of: usual, endedAt: now - .days(6), in: fixture)

            let report = try await fixture.sweep("delete-past-deliveries")

            #expect(report.rowsByApp == [brief.id: 706] && report.batchCount == 2)
            #expect(
                try await fixture.texts("select count(*)::text from deliveries group by app_id order by 1") == [
                    "3", "5",
                ])
            #expect(try await fixture.sweep("delete-past-deliveries").rowCount == 0)
        }
    }

    @Test func `of the apps that keep the most only what no partition took along is deleted`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            try await insert(1, of: app, endedAt: now - .days(33) - moment, in: fixture)
            // Its day is dropped as a partition in the meantime.
            try await insert(1, of: app, endedAt: now - .days(33), in: fixture)

            #expect(try await fixture.sweep("delete-past-deliveries").rowsByApp == [app.id: 1])
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, endedAt: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                    ended_at)
            select \(app.id), gen_random_uuid(), 'mail.verification', 'interactive', 'mail', 'delivered', 1, '{}',
                   \(endedAt), \(endedAt)
              from generate_series(1, \(count)::int)
            """)
    }
}
