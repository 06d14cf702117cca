import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-factor-challenges", .ownDatabase)
struct DeleteExpiredFactorChallengesTests {
    @Test func `challenges go a day after they expired, passed or not, in batches, in every app`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let end = JobFixture.now - .days(1)
            try await insert(700, of: one, at: end - .microseconds(1), in: fixture)
            try await insert(2, of: one, at: end, in: fixture)
            try await insert(3, of: other, at: end - .days(1), in: fixture)

            let report = try await fixture.sweep("delete-expired-factor-challenges")

            #expect(report.rowsByApp == [one.id: 700, other.id: 3] && report.batchCount == 2)
            #expect(try await fixture.texts("select count(*)::text from factor_challenges") == ["2"])
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, at: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into factor_challenges (app_id, id, token_hash, user_id, auth_epoch, is_hosted, amr,
                                           authenticated_at, attempt_count, created_at, expires_at, passed_at)
            select app_id, gen_random_uuid(), '\\x01', id, 1, false, '{pwd}', \(at), 0, \(at), \(at),
                   case when n % 2 = 0 then \(at) end
              from users, generate_series(1, \(count)::int) as n
             where app_id = \(app.id)
            """)
    }
}
