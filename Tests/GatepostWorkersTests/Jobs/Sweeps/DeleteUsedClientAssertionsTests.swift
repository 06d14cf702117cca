import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-used-client-assertions", .ownDatabase)
struct DeleteUsedClientAssertionsTests {
    @Test func `marks of proofs go five minutes after the proofs have expired, in batches, in every app`() async throws
    {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let end = JobFixture.now - .minutes(5)
            try await insert(700, of: one, at: end - .microseconds(1), in: fixture)
            try await insert(2, of: one, at: end, in: fixture)
            try await insert(3, of: other, at: end - .days(1), in: fixture)

            let report = try await fixture.sweep("delete-used-client-assertions")

            #expect(report.rowsByApp == [one.id: 700, other.id: 3] && report.batchCount == 2)
            #expect(try await fixture.texts("select count(*)::text from client_assertions") == ["2"])
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, at: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into client_assertions (app_id, client_id, jti_hash, expires_at)
            select app_id, id, uuid_send(gen_random_uuid()), \(at)
              from clients, generate_series(1, \(count)::int) as n
             where app_id = \(app.id)
            """)
    }
}
