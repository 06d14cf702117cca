import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job activate-signing-keys", .ownDatabase)
struct ActivateSigningKeysTests {
    private let now = JobFixture.now
    private let job = "activate-signing-keys"

    @Test func `a next key signs once it has been published for an hour, and its predecessor retires`() async throws {
        try await JobFixture.with { fixture in
            let (due, early) = (try await fixture.makeApp(), try await fixture.makeApp())
            let old = now - .days(90)
            let published = now - Lifetimes.signingKeyNotice
            let replaced = try await fixture.makeKey(of: due, "active", createdAt: old, activatedAt: old)
            let heir = try await fixture.makeKey(of: due, "next", createdAt: published)
            let current = try await fixture.makeKey(of: early, "active", createdAt: old, activatedAt: old)
            let waiting = try await fixture.makeKey(of: early, "next", createdAt: published + .microseconds(1))

            let report = try await fixture.runner.run(job, at: now)

            #expect(report.rowsByApp == [due.id: 1])
            #expect(try await fixture.keys(of: due, "active") == [heir])
            #expect(try await fixture.keys(of: due, "retired") == [replaced])
            #expect(try await fixture.keys(of: early, "active") == [current])
            #expect(try await fixture.keys(of: early, "next") == [waiting])
            #expect(
                try await fixture.execute(
                    """
                    select id from signing_keys where app_id = \(due.id)
                       and (activated_at = \(now) and retired_at is null or retired_at = \(now))
                    """
                ).count == 2)
            #expect(try await fixture.events(of: due) == ["signing_key.activated job", "signing_key.retired job"])
            #expect(try await fixture.events(of: early).isEmpty)
        }
    }

    @Test func `a next key without a predecessor becomes active all the same`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let heir = try await fixture.makeKey(of: app, "next", createdAt: now - .days(1))

            let report = try await fixture.runner.run(job, at: now)

            #expect(report.rowsByApp == [app.id: 1])
            #expect(try await fixture.keys(of: app, "active") == [heir])
            #expect(try await fixture.events(of: app) == ["signing_key.activated job"])
        }
    }

    @Test func `many keys change hands in one batch, whatever order they lie in`() async throws {
        try await JobFixture.with { fixture in
            var apps: [JobFixture.App] = []
            for position in 0..<40 {
                let app = try await fixture.makeApp()
                // In half of the apps the heir lies before its predecessor in the table.
                if position % 2 == 0 { try await fixture.makeKey(of: app, "next", createdAt: now - .hours(2)) }
                try await fixture.makeKey(of: app, "active", createdAt: now - .days(9), activatedAt: now - .days(9))
                if position % 2 == 1 { try await fixture.makeKey(of: app, "next", createdAt: now - .hours(2)) }
                apps.append(app)
            }

            let report = try await fixture.runner.run(job, at: now)

            #expect(report.rowsByApp == Dictionary(uniqueKeysWithValues: apps.map { ($0.id, 1) }))
            #expect(report.batchCount == 1)
            for app in apps {
                #expect(try await fixture.keys(of: app, "active").count == 1)
                #expect(try await fixture.keys(of: app, "retired").count == 1)
            }
        }
    }

    @Test func `while somebody holds the next key, the active one stays`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let active = try await fixture.makeKey(of: app, "active", createdAt: now, activatedAt: now - .days(9))
            let heir = try await fixture.makeKey(of: app, "next", createdAt: now - .days(1))

            try await fixture.admin.transaction(deadline: .seconds(20)) { transaction in
                _ = try await transaction.query("select id from signing_keys where id = \(heir) for update")
                let report = try await fixture.runner.run(job, at: now)
                #expect(report.rowCount == 0)
            }

            #expect(try await fixture.keys(of: app, "active") == [active])
            #expect(try await fixture.runner.run(job, at: now).rowCount == 1)
        }
    }

    @Test func `a key that is sealed anew meanwhile retires as well`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let active = try await fixture.makeKey(of: app, "active", createdAt: now, activatedAt: now - .days(9))
            let heir = try await fixture.makeKey(of: app, "next", createdAt: now - .days(1))

            let running = try await fixture.admin.transaction(deadline: .seconds(20)) { transaction in
                _ = try await transaction.query("update signing_keys set private_sealed = '\\x01' where id = \(active)")
                let running = Task { try await fixture.runner.run(job, at: now) }
                // Until the job waits for this row.
                for _ in 0..<100_000 {
                    let waiting = try await transaction.query(
                        """
                        select 1 as one from pg_locks as l
                         where not l.granted
                           and l.pid in (select m.pid from pg_locks as m join pg_database as d on d.oid = m.database
                                          where d.datname = current_database())
                        """)
                    if !waiting.isEmpty { return running }
                }
                Issue.record("the job never waited for the row")
                return running
            }

            #expect(try await running.value.rowCount == 1)
            #expect(try await fixture.keys(of: app, "active") == [heir])
            #expect(try await fixture.keys(of: app, "retired") == [active])
        }
    }
}
