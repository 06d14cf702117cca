import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job enqueue-key-rotations", .ownDatabase)
struct EnqueueKeyRotationsTests {
    private let now = JobFixture.now
    private let moment: Duration = .microseconds(1)

    @Test func `a rotation is owed once the active key has reached its age`() async throws {
        try await JobFixture.with { fixture in
            let (of90Days, younger) = (try await fixture.makeApp(), try await fixture.makeApp())
            let ofItsOwnAge = try await fixture.makeApp(settings: #"{"signing_key_seconds": 86400}"#)
            let patient = try await fixture.makeApp(settings: #"{"signing_key_seconds": 31536000}"#)
            let edge = now - .days(90)
            let key = try await fixture.makeKey(of: of90Days, "active", createdAt: edge, activatedAt: edge)
            try await fixture.makeKey(of: younger, "active", createdAt: edge, activatedAt: edge + moment)
            try await fixture.makeKey(
                of: ofItsOwnAge, "active", createdAt: edge, activatedAt: now - .days(1))
            try await fixture.makeKey(of: patient, "active", createdAt: edge, activatedAt: now - .days(364))

            let report = try await fixture.runner.run("enqueue-key-rotations", at: now)

            #expect(report.rowsByApp == [of90Days.id: 1, ofItsOwnAge.id: 1])
            let messages = try await fixture.execute(
                """
                select kind, lane, route, payload::text as payload, ready, due_at, expires_at, claim_number, unique_key
                  from outbox where app_id = \(of90Days.id)
                """)
            let message = try #require(messages.first)
            #expect(messages.count == 1)
            #expect(try message.get("kind") == "signing_key.rotate")
            #expect(try message.get("lane") == "notice")
            #expect(try message.get("route") == "local")
            #expect(try message.get("payload") == #"{"algorithm": "ES256"}"#)
            #expect(try message.get("ready") == true)
            #expect(try message.get("due_at") == now)
            #expect(try message.get("expires_at") == now + .days(1))
            #expect(try message.get("unique_key", as: String.self).hasPrefix("rotate "))
            #expect(try await fixture.keys(of: of90Days, "active") == [key])
        }
    }

    @Test func `nothing is owed where a next key waits, where no key signs, or where a rotation is owed`() async throws
    {
        try await JobFixture.with { fixture in
            let (waiting, keyless) = (try await fixture.makeApp(), try await fixture.makeApp())
            let (asked, young) = (try await fixture.makeApp(), try await fixture.makeApp())
            let old = now - .days(100)
            try await fixture.makeKey(of: waiting, "active", createdAt: old, activatedAt: old)
            try await fixture.makeKey(of: waiting, "next", createdAt: now)
            try await fixture.makeKey(of: keyless, "retired", createdAt: old, activatedAt: old, retiredAt: now)
            try await fixture.makeKey(of: young, "active", createdAt: now, activatedAt: now)
            try await fixture.makeKey(of: asked, "active", createdAt: old, activatedAt: old)
            _ = try await fixture.runner.run("enqueue-key-rotations", at: now - .days(1))

            let report = try await fixture.runner.run("enqueue-key-rotations", at: now)

            #expect(report.rowCount == 0)
            #expect(try await fixture.execute("select app_id from outbox").count == 1)
        }
    }

    @Test func `a full batch of apps that were asked already does not hide the next one`() async throws {
        try await JobFixture.with { fixture in
            let old = now - .days(100)
            try await fixture.execute(
                """
                with made as (
                       insert into apps (id, name, state, settings, created_at)
                       select gen_random_uuid(), 'App', 'active', '{}', \(old) from generate_series(1, 100)
                       returning id)
                insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                          activated_at)
                select id, gen_random_uuid(), 'ES256', 'active', '\\x04', '\\x00', \(old), \(old) from made
                """)
            let first = try await fixture.runner.run("enqueue-key-rotations", at: now - .days(1))
            let app = try await fixture.makeApp()
            try await fixture.makeKey(of: app, "active", createdAt: old, activatedAt: old + .days(1))

            let report = try await fixture.runner.run("enqueue-key-rotations", at: now)

            #expect(first.rowCount == 100)
            #expect(report.rowsByApp == [app.id: 1])
        }
    }

    @Test func `a request that a worker holds is repeated the next night, not by the next batch`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let old = now - .days(100)
            try await fixture.makeKey(of: app, "active", createdAt: old, activatedAt: old)
            _ = try await fixture.runner.run("enqueue-key-rotations", at: now)
            try await fixture.execute("update outbox set claim_number = 1, ready = false")

            let sameRun = try await fixture.runner.run("enqueue-key-rotations", at: now)
            let nextNight = try await fixture.runner.run("enqueue-key-rotations", at: now + .days(1))

            #expect(sameRun.rowCount == 0)
            #expect(nextNight.rowsByApp == [app.id: 1])
        }
    }
}
