import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-past-audit-events", .ownDatabase)
struct DeletePastAuditEventsTests {
    private let now = JobFixture.now

    @Test func `events go after 400 days, or when their app's own time is over, in batches`() async throws {
        try await JobFixture.with { fixture in
            let usual = try await fixture.makeApp()
            let brief = try await fixture.makeApp(settings: #"{"audit_history_seconds": 2592000}"#)
            let patient = try await fixture.makeApp(settings: #"{"audit_history_seconds": 315360000}"#)
            for (app, days) in [(usual, 400), (brief, 30), (patient, 3650)] as [(JobFixture.App, Int64)] {
                try await insert(1, of: app, at: now - .days(days) - .microseconds(1), in: fixture)
                try await insert(2, of: app, at: now - .days(days), in: fixture)
            }
            try await insert(2500, of: brief, at: now - .days(31), in: fixture)
            try await insert(1, of: patient, at: now - .days(401), in: fixture)

            let report = try await fixture.sweep("delete-past-audit-events")

            #expect(report.rowsByApp == [usual.id: 1, brief.id: 2501, patient.id: 1] && report.batchCount == 3)
            #expect(
                try await fixture.texts("select count(*)::text from audit_events group by app_id order by 1")
                    == ["2", "2", "3"])
            #expect(try await fixture.sweep("delete-past-audit-events").rowCount == 0)
        }
    }

    private func insert(_ count: Int, of app: JobFixture.App, at moment: Instant, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into audit_events (app_id, id, kind, actor_kind, details, created_at)
            select \(app.id), gen_random_uuid(), 'sign_in.passed', 'user', '{}', \(moment)
              from generate_series(1, \(count)::int)
            """)
    }
}
