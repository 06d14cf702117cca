import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-pushed-requests", .ownDatabase)
struct DeleteExpiredPushedRequestsTests {
    @Test func `pushed requests go an hour after they expired, used or not, in batches, in every app`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let end = JobFixture.now - .hours(1)
            try await insert(700, of: one, at: end - .microseconds(1), in: fixture)
            try await insert(2, of: one, at: end, in: fixture)
            try await insert(3, of: other, at: end - .days(1), in: fixture)

            let report = try await fixture.sweep("delete-expired-pushed-requests")

            #expect(report.rowsByApp == [one.id: 700, other.id: 3] && report.batchCount == 2)
            #expect(try await fixture.texts("select count(*)::text from pushed_requests") == ["2"])
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, at: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into pushed_requests (app_id, token_hash, client_id, parameters, created_at, expires_at, used_at)
            select app_id, uuid_send(gen_random_uuid()), id, '[]', \(at), \(at), case when n % 2 = 0 then \(at) end
              from clients, generate_series(1, \(count)::int) as n
             where app_id = \(app.id)
            """)
    }
}
