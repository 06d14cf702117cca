import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-idempotency-keys", .ownDatabase)
struct DeleteIdempotencyKeysTests {
    @Test func `keys go once their day is over, in batches, in every app`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let now = JobFixture.now
            try await insert(1200, of: one, expiresAt: now, in: fixture)
            try await insert(2, of: one, expiresAt: now + .microseconds(1), in: fixture)
            try await insert(3, of: other, expiresAt: now - .days(40), in: fixture)
            try await insert(1, of: other, expiresAt: now + .hours(24), in: fixture)

            let report = try await fixture.sweep("delete-idempotency-keys")

            #expect(report.rowsByApp == [one.id: 1200, other.id: 3] && report.batchCount == 2)
            #expect(
                try await fixture.texts("select count(*)::text from idempotency_keys group by app_id order by 1")
                    == ["1", "2"])
            #expect(try await fixture.sweep("delete-idempotency-keys").rowCount == 0)
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, expiresAt: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into idempotency_keys (app_id, key_hash, request_hash, reference, created_at, expires_at)
            select \(app.id), sha256((n || \(expiresAt.description))::bytea), '\\x01', '{}', \(expiresAt - .days(1)),
                   \(expiresAt)
              from generate_series(1, \(count)::int) as n
            """)
    }
}
