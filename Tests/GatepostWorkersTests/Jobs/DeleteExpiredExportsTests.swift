import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-exports", .ownDatabase)
struct DeleteExpiredExportsTests {
    @Test func `exports go with their parts when their time is over, in batches, and not a moment earlier`()
        async throws
    {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let now = JobFixture.now
            try await insert(of: one, partCount: 120, expiresAt: now - .microseconds(1), in: fixture)
            try await insert(of: one, partCount: 3, expiresAt: now, in: fixture)
            try await insert(of: other, partCount: 2, expiresAt: now - .days(1), in: fixture)
            try await insert(of: other, partCount: 1, expiresAt: now + .days(7), in: fixture)
            // Never got a part: its chain stood still.
            try await insert(of: other, partCount: 0, expiresAt: now - .days(2), in: fixture)

            let first = try await fixture.runner.run("delete-expired-exports", at: now)
            let second = try await fixture.runner.run("delete-expired-exports", at: now)

            let deleted = first.rowsByApp.merging(second.rowsByApp) { $0 + $1 }
            #expect(deleted == [one.id: 121, other.id: 4])
            #expect(
                try await fixture.texts("select count(*)::text from audit_exports group by app_id order by 1")
                    == ["1", "1"])
            #expect(
                try await fixture.texts("select count(*)::text from audit_export_parts group by app_id order by 1")
                    == ["1", "3"])
        }
    }

    private func insert(
        of app: JobFixture.App, partCount: Int, expiresAt: Instant, in fixture: JobFixture
    ) async throws {
        let id: AuditExportID = fixture.newID()
        try await fixture.execute(
            """
            insert into audit_exports (app_id, id, state, format, until_at, actor_kind, actor_id, horizon_id,
                                       position_transaction_id, position_event_id, part_count, row_count, byte_count,
                                       created_at, expires_at)
            values (\(app.id), \(id), 'running', 'csv', \(expiresAt - .days(7)), 'api_key', \(app.user), '3', '3',
                    \(app.user), \(partCount), 0, 0, \(expiresAt - .days(7)), \(expiresAt))
            """)
        try await fixture.execute(
            """
            insert into audit_export_parts (app_id, export_id, number, byte_offset, bytes)
            select \(app.id), \(id), number, number, '\\x20' from generate_series(1, \(partCount)::int) as number
            """)
    }
}
