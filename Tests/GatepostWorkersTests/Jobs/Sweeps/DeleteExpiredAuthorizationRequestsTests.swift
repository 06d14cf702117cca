import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-authorization-requests", .ownDatabase)
struct DeleteExpiredAuthorizationRequestsTests {
    @Test func `requests stay for an hour after they expired, answered or not`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let edge = JobFixture.now - .hours(1)
            try await insert("fresh", of: one, expiresAt: JobFixture.now + .seconds(60), in: fixture)
            try await insert("at-edge", of: one, expiresAt: edge, in: fixture)
            try await insert("past", of: one, expiresAt: edge - .microseconds(1), in: fixture)
            try await insert(
                "past-answered", of: other, expiresAt: edge - .microseconds(1), isAnswered: true, in: fixture)

            let report = try await fixture.runner.run(
                "delete-expired-authorization-requests", at: JobFixture.now)

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(
                try await fixture.texts("select redirect_uri from authorization_requests order by 1")
                    == ["at-edge", "fresh"])
        }
    }

    private func insert(
        _ label: String, of app: JobFixture.App, expiresAt: Instant, isAnswered: Bool = false, in fixture: JobFixture
    ) async throws {
        let id: AuthorizationRequestID = fixture.newID()
        let answeredAt: Instant? = isAnswered ? expiresAt : nil
        let codeHash: [UInt8]? = isAnswered ? [1] : nil
        try await fixture.execute(
            """
            insert into authorization_requests (app_id, id, client_id, redirect_uri, code_challenge, browser_hash,
                                                created_at, expires_at, answered_at, code_hash)
            values (\(app.id), \(id), \(app.client), \(label), '', '\\x01', \(expiresAt), \(expiresAt),
                    \(answeredAt), \(codeHash))
            """)
    }
}
