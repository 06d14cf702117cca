import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-flows", .ownDatabase)
struct DeleteExpiredFlowsTests {
    @Test func `flows go a day after they expired, and not a moment earlier`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let edge = JobFixture.now - .hours(24)
            for (app, label) in [(one, "one"), (other, "other")] {
                try await insert("\(label)-open@x.test", of: app, expiresAt: JobFixture.now + .hours(1), in: fixture)
                try await insert("\(label)-expired@x.test", of: app, expiresAt: JobFixture.now - .hours(1), in: fixture)
                try await insert("\(label)-at-edge@x.test", of: app, expiresAt: edge, in: fixture)
            }
            try await insert("one-past@x.test", of: one, expiresAt: edge - .microseconds(1), in: fixture)
            try await insert("one-long-past@x.test", of: one, expiresAt: edge - .days(30), in: fixture)
            try await insert("other-past@x.test", of: other, expiresAt: edge - .microseconds(1), in: fixture)

            let report = try await fixture.runner.run("delete-expired-flows", at: JobFixture.now)

            #expect(report.rowsByApp == [one.id: 2, other.id: 1])
            #expect(
                try await fixture.texts("select email from flows order by email") == [
                    "one-at-edge@x.test", "one-expired@x.test", "one-open@x.test", "other-at-edge@x.test",
                    "other-expired@x.test", "other-open@x.test",
                ])
        }
    }

    private func insert(
        _ email: String, of app: JobFixture.App, expiresAt: Instant, in fixture: JobFixture
    ) async throws {
        try await fixture.execute(
            """
            insert into flows (app_id, id, kind, state, email, auth_epoch, secret_epoch, token_hash, link_hash,
                               code_hash, created_at, expires_at)
            values (\(app.id), gen_random_uuid(), 'sign_up', 'pending', \(email), 1, 1, '', \(email)::text::bytea, '',
                    \(expiresAt - .hours(24)), \(expiresAt))
            """)
    }
}
