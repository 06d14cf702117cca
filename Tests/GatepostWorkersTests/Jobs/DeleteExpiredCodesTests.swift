import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-codes", .ownDatabase)
struct DeleteExpiredCodesTests {
    @Test func `codes stay for a day after they expired, redeemed or not`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let edge = JobFixture.now - .hours(24)
            try await insert("fresh", of: one, expiresAt: JobFixture.now + .seconds(60), in: fixture)
            try await insert("at-edge", of: one, expiresAt: edge, in: fixture)
            try await insert("at-edge-redeemed", of: other, expiresAt: edge, isRedeemed: true, in: fixture)
            try await insert("past", of: one, expiresAt: edge - .microseconds(1), in: fixture)
            try await insert(
                "past-redeemed", of: other, expiresAt: edge - .microseconds(1), isRedeemed: true, in: fixture)

            let report = try await fixture.runner.run("delete-expired-codes", at: JobFixture.now)

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(
                try await fixture.texts("select redirect_uri from authorization_codes order by 1")
                    == ["at-edge", "at-edge-redeemed", "fresh"])
        }
    }

    private func insert(
        _ label: String, of app: JobFixture.App, expiresAt: Instant, isRedeemed: Bool = false, in fixture: JobFixture
    ) async throws {
        let redeemedAt: Instant? = isRedeemed ? expiresAt : nil
        let session: SessionID? = isRedeemed ? fixture.newID() : nil
        try await fixture.execute(
            """
            insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                             code_challenge, amr, authenticated_at, created_at, expires_at,
                                             redeemed_at, session_id)
            values (\(app.id), \(label)::text::bytea, \(app.client), \(app.user), 1, \(label), '', '{pwd}',
                    \(expiresAt), \(expiresAt), \(expiresAt), \(redeemedAt), \(session))
            """)
    }
}
