import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job end-stale-sessions", .ownDatabase)
struct EndStaleSessionsTests {
    private let now = JobFixture.now
    private let moment: Duration = .microseconds(1)

    @Test func `a session ends at whichever limit comes first, with that reason`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            try await insert("alive", of: one, idle: now + moment, expires: now + moment, in: fixture)
            try await insert("idle", of: one, idle: now, expires: now + .days(1), in: fixture)
            try await insert("idle first", of: one, idle: now - .days(2), expires: now - .days(1), in: fixture)
            try await insert("expired", of: one, idle: now + .days(1), expires: now, in: fixture)
            try await insert("expired first", of: other, idle: now - .days(1), expires: now - .days(2), in: fixture)
            try await insert("signed out", of: other, idle: now - .days(1), expires: now, ended: true, in: fixture)

            let report = try await fixture.runner.run("end-stale-sessions", at: now)

            #expect(report.rowsByApp == [one.id: 3, other.id: 1])
            #expect(
                try await fixture.texts(
                    """
                    select concat_ws(' ', user_agent || ':', end_reason, case when ended_at = \(now) then 'now' end)
                      from sessions order by user_agent
                    """) == [
                        "alive:", "expired: expired now", "expired first: expired now", "idle: idle now",
                        "idle first: idle now", "signed out: signed_out",
                    ])
        }
    }

    @Test func `the families of a session end with it, for the same reason`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let stale = try await insert("stale", of: app, idle: now, expires: now + .days(1), in: fixture)
            let alive = try await insert("alive", of: app, idle: now + moment, expires: now + .days(1), in: fixture)
            for (session, reason) in [(stale, nil), (stale, nil), (stale, "refresh_reused"), (alive, nil)] {
                try await insertFamily(of: session, endReason: reason, app, in: fixture)
            }

            _ = try await fixture.runner.run("end-stale-sessions", at: now)

            #expect(
                try await fixture.texts(
                    """
                    select coalesce(end_reason, '-') from token_families
                     where app_id = \(app.id) and session_id = \(stale) order by 1
                    """) == ["idle", "idle", "refresh_reused"])
            #expect(
                try await fixture.texts(
                    "select coalesce(end_reason, '-') from token_families where session_id = \(alive)") == ["-"])
        }
    }

    @Test func `each ended session has one audit event that names it`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let idle = try await insert("idle", of: one, idle: now, expires: now + .days(1), in: fixture)
            try await insert("expired", of: other, idle: now + .days(1), expires: now, in: fixture)
            try await insert("alive", of: other, idle: now + moment, expires: now + moment, in: fixture)

            _ = try await fixture.runner.run("end-stale-sessions", at: now)
            let again = try await fixture.runner.run("end-stale-sessions", at: now)

            #expect(again.rowCount == 0)
            #expect(try await fixture.events(of: one) == ["session.ended job idle"])
            #expect(try await fixture.events(of: other) == ["session.ended job expired"])
            let named = try await fixture.execute(
                """
                select 1 as one from audit_events
                 where app_id = \(one.id) and session_id = \(idle) and user_id = \(one.user)
                   and client_id = \(one.client) and created_at = \(now) and actor_id is null
                """)
            #expect(named.count == 1)
        }
    }

    @Test func `each endpoint that wants to know is owed one notice a session, and no other`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let idle = try await insert("idle", of: one, idle: now, expires: now + .days(1), in: fixture)
            try await insert("expired", of: one, idle: now + .days(1), expires: now, in: fixture)
            try await insert("expired", of: other, idle: now + .days(1), expires: now, in: fixture)
            try await insert("alive", of: one, idle: now + moment, expires: now + moment, in: fixture)
            for (types, state) in [
                ("{session.ended,user.created}", "enabled"), ("{user.created}", "enabled"),
                ("{session.ended}", "disabled"),
            ] {
                try await fixture.execute(
                    """
                    insert into webhook_endpoints (app_id, id, url, description, event_types, state, disabled_reason,
                                                   disabled_at, created_at, changed_at)
                    values (\(one.id), gen_random_uuid(), 'https://a.example/', '', \(types)::text[], \(state),
                            case \(state) when 'disabled' then 'gone' end, case \(state) when 'disabled' then now() end,
                            now(), now())
                    """)
            }

            _ = try await fixture.runner.run("end-stale-sessions", at: now)
            _ = try await fixture.runner.run("end-stale-sessions", at: now)

            let owed = try await fixture.texts(
                """
                select concat_ws(' ', payload ->> 'type', payload ->> 'timestamp', payload -> 'data' ->> 'reason')
                  from outbox
                 where app_id = \(one.id) and kind = 'webhook.notice' and lane = 'notice' and ready
                   and due_at = \(now) and expires_at = \(now + Lifetimes.webhookNotice) and user_id = \(one.user)
                   and route = (select 'webhook ' || id from webhook_endpoints
                                 where state = 'enabled' and 'session.ended' = any (event_types))
                   and payload -> 'data' ->> 'client_id' = \(one.client)::uuid::text
                 order by 1
                """)
            #expect(owed == ["session.ended \(now) expired", "session.ended \(now) idle"])
            let named = try await fixture.texts(
                "select payload -> 'data' ->> 'session_id' from outbox where payload -> 'data' ->> 'reason' = 'idle'")
            #expect(named.compactMap(UUIDBits.init(postgresText:)) == [idle.uuid])
            #expect(try await fixture.texts("select count(*)::text from outbox") == ["2"])
        }
    }

    @discardableResult
    private func insert(
        _ label: String, of app: JobFixture.App, idle: Instant, expires: Instant, ended: Bool = false,
        in fixture: JobFixture
    ) async throws -> SessionID {
        let id: SessionID = fixture.newID()
        let endedAt: Instant? = ended ? now - .hours(1) : nil
        let reason: String? = ended ? "signed_out" : nil
        try await fixture.execute(
            """
            insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, user_agent, authenticated_at,
                                  created_at, last_used_at, idle_expires_at, expires_at, ended_at, end_reason)
            values (\(app.id), \(id), \(app.user), \(app.client), 1, '{pwd}', \(label), \(now - .days(9)),
                    \(now - .days(9)), \(now - .days(9)), \(idle), \(expires), \(endedAt), \(reason))
            """)
        return id
    }

    private func insertFamily(
        of session: SessionID, endReason: String?, _ app: JobFixture.App, in fixture: JobFixture
    ) async throws {
        let endedAt: Instant? = endReason == nil ? nil : now - .hours(1)
        try await fixture.execute(
            """
            insert into token_families (app_id, id, session_id, client_id, created_at, expires_at, ended_at, end_reason)
            values (\(app.id), gen_random_uuid(), \(session), \(app.client), \(now - .days(9)), \(now + .days(9)),
                    \(endedAt), \(endReason))
            """)
    }
}
