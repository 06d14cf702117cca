import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-rate-limit-windows", .ownDatabase)
struct DeleteRateLimitWindowsTests {
    @Test func `a window's count goes five minutes after it has passed`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let edge = JobFixture.now - .minutes(5)
            for (app, expiresAt) in [
                (one, edge - .microseconds(1)), (one, edge - .days(3)), (one, edge), (one, JobFixture.now + .hours(1)),
                (other, edge - .seconds(1)),
            ] {
                try await fixture.execute(
                    """
                    insert into rate_limits (app_id, key_hash, window_at, count, expires_at)
                    values (\(app.id), '\\x01', \(expiresAt - .hours(1)), 3, \(expiresAt))
                    """)
            }

            let report = try await fixture.sweep("delete-rate-limit-windows")

            #expect(report.rowsByApp == [one.id: 2, other.id: 1])
            #expect(
                try await fixture.texts("select (expires_at >= \(edge))::text from rate_limits") == ["true", "true"])
        }
    }
}
