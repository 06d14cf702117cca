import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-ended-sessions", .ownDatabase)
struct DeleteEndedSessionsTests {
    private let now = JobFixture.now
    private let edge = JobFixture.now - .days(30)

    @Test func `a session goes a month after its end with its families and tokens, and no other one`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            try await insert("past", of: one, endedAt: edge - .microseconds(1), families: 2, tokens: 3, in: fixture)
            try await insert("on the edge", of: one, endedAt: edge, families: 1, tokens: 2, in: fixture)
            try await insert("alive", of: one, endedAt: nil, families: 1, tokens: 2, in: fixture)
            try await insert(
                "without a family", of: other, endedAt: edge - .days(100), families: 0, tokens: 0, in: fixture)

            let first = try await fixture.sweep("delete-ended-sessions")
            let second = try await fixture.sweep("delete-ended-sessions")
            let third = try await fixture.sweep("delete-ended-sessions")

            // Six tokens and the session that had none; then the session whose tokens are gone.
            #expect(first.rowsByApp == [one.id: 6, other.id: 1])
            #expect(second.rowsByApp == [one.id: 1])
            #expect(third.rowCount == 0)
            #expect(
                try await fixture.texts("select user_agent from sessions order by 1") == ["alive", "on the edge"])
            #expect(try await fixture.texts("select count(*)::text from token_families") == ["2"])
            #expect(try await fixture.texts("select count(*)::text from refresh_tokens") == ["4"])
        }
    }

    @Test func `a session of many tokens is taken apart in batches and gone by the end of the run`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            try await insert("long", of: app, endedAt: edge - .days(1), families: 1, tokens: 1100, in: fixture)
            try await insert("young", of: app, endedAt: now, families: 1, tokens: 700, in: fixture)

            let report = try await fixture.sweep("delete-ended-sessions")
            let rest = try await fixture.sweep("delete-ended-sessions")

            #expect(report.batchCount == 3 && report.rowCount == 1100 && rest.rowCount == 1)
            #expect(try await fixture.texts("select user_agent from sessions") == ["young"])
            #expect(try await fixture.texts("select count(*)::text from refresh_tokens") == ["700"])
        }
    }

    private func insert(
        _ name: String, of app: JobFixture.App, endedAt: Instant?, families: Int, tokens: Int, in fixture: JobFixture
    ) async throws {
        let id: SessionID = fixture.newID()
        let start = now - .days(300)
        try await fixture.execute(
            """
            insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, user_agent, authenticated_at,
                                  created_at, last_used_at, idle_expires_at, expires_at, ended_at, end_reason)
            values (\(app.id), \(id), \(app.user), \(app.client), 1, '{pwd}', \(name), \(start), \(start), \(start),
                    \(now + .days(1)), \(now + .days(1)), \(endedAt), \(endedAt.map { _ in "signed_out" }))
            """)
        try await fixture.execute(
            """
            with family as (
                   insert into token_families (app_id, id, session_id, client_id, created_at, expires_at)
                   select \(app.id), gen_random_uuid(), \(id), \(app.client), \(start), \(now + .days(1))
                     from generate_series(1, \(families))
                   returning id)
            insert into refresh_tokens (app_id, token_hash, family_id, generation, auth_epoch, created_at, expires_at)
            select \(app.id), sha256((id::text || n)::bytea), id, n, 1, \(start), \(now + .days(1))
              from family, generate_series(1, \(tokens)::int) as n
            """)
    }
}
