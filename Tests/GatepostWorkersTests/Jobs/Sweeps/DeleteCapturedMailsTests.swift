import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-captured-mails", .ownDatabase)
struct DeleteCapturedMailsTests {
    @Test func `captured mails go after a week, in batches, in every app`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let end = JobFixture.now - Lifetimes.capturedMail
            try await insert(700, of: one, at: end - .microseconds(1), in: fixture)
            try await insert(2, of: one, at: end, in: fixture)
            try await insert(3, of: other, at: end - .days(40), in: fixture)

            let report = try await fixture.sweep("delete-captured-mails")

            #expect(report.rowsByApp == [one.id: 700, other.id: 3] && report.batchCount == 2)
            #expect(try await fixture.texts("select count(*)::text from captured_mails") == ["2"])
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, at: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into captured_mails (app_id, id, kind, recipient, content_sealed, captured_at)
            select \(app.id), gen_random_uuid(), 'mail.verification', 'ada@example.com', '\\x00', \(at)
              from generate_series(1, \(count)::int) as n
            """)
    }
}
