import GatepostModel
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job runner", .ownDatabase)
struct JobRunnerTests {
    private let now = JobFixture.now

    /// A job of a test's own.
    private static func job(_ name: String, _ statement: String, schedule: String = "* * * * *") throws -> JobFile {
        try JobFile(
            name: name,
            text: """
                -- Tries the runner.
                --
                -- A batch is two rows.
                --
                -- schedule: \(schedule)
                -- batch:    2
                -- timeout:  5 seconds

                \(statement);
                """)
    }

    private static let ending = """
        update sessions set ended_at = :'now', end_reason = 'idle'
         where ctid = any (array(select ctid from sessions where ended_at is null and least(idle_expires_at, expires_at)
                                   <= :'now'::timestamptz limit :batch for update skip locked))
        returning app_id
        """

    private func insertSessions(_ count: Int, of app: JobFixture.App, in fixture: JobFixture) async throws {
        try await fixture.execute(
            """
            insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, authenticated_at, created_at,
                                  last_used_at, idle_expires_at, expires_at)
            select \(app.id), gen_random_uuid(), \(app.user), \(app.client), 1, '{}', \(now), \(now), \(now), \(now),
                   \(now)
              from generate_series(1, \(count))
            """)
    }

    @Test func `batches are repeated until one comes back short`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            try await insertSessions(3, of: one, in: fixture)
            try await insertSessions(2, of: other, in: fixture)

            let report = try await fixture.runner.run("end-some", at: now)

            #expect(report.rowsByApp == [one.id: 3, other.id: 2])
            #expect(report.rowCount == 5)
            #expect(report.batchCount == 3)
            #expect(!report.isCutShort)
        }
    }

    @Test func `a run is written down with its rows and batches`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            try await insertSessions(4, of: try await fixture.makeApp(), in: fixture)

            _ = try await fixture.runner.run("end-some", at: now)

            let runs = try await fixture.database.system { $0.lastJobRuns(of: ["end-some", "never-run"]) }
            #expect(Set(runs.keys) == ["end-some"])
            let run = try #require(runs["end-some"])
            #expect([run.dueAt, run.startedAt, run.finishedAt] == [now, now, now])
            #expect(run.rowCount == 4)
            #expect(run.batchCount == 3)
            #expect(run.error == nil)
        }
    }

    @Test func `of many runners one runs a job for a due time`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            try await insertSessions(3, of: try await fixture.makeApp(), in: fixture)
            let runner = fixture.runner

            let outcomes = try await race(8) { await runner.runDue(at: JobFixture.now + .seconds(30)) }

            let reports = outcomes.compactMap { outcome -> JobReport? in
                if case .finished(let report) = outcome["end-some"] { report } else { nil }
            }
            #expect(reports.map(\.rowCount) == [3])
            #expect(outcomes.count { if case .claimedElsewhere = $0["end-some"] { true } else { false } } == 7)
            let due = try await fixture.execute("select due_at from job_runs")
            #expect(try due.map { row throws(PostgresError) in try row.get("due_at", as: Instant.self) } == [now])
        }
    }

    @Test func `the next due time is another run`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            for minute in 0..<3 { _ = await fixture.runner.runDue(at: now + .minutes(Int64(minute))) }

            let runs = try await fixture.execute("select job from job_runs")
            #expect(runs.count == 3)
        }
    }

    @Test func `a job that is not due is left alone, and a missed run is not made up`() async throws {
        let jobs = [try Self.job("end-some", Self.ending, schedule: "0 9 * * *")]
        try await JobFixture.with(jobs: jobs) { fixture in
            #expect(await fixture.runner.runDue(at: now + .minutes(1)).isEmpty)
            let runs = try await fixture.execute("select job from job_runs")
            #expect(runs.isEmpty)
        }
    }

    @Test func `an error is written down, and the other jobs run`() async throws {
        let jobs = [
            try Self.job("break-first", "select (1 / (:batch - 2))::text::uuid as app_id"),
            try Self.job("end-some", Self.ending),
        ]
        try await JobFixture.with(jobs: jobs) { fixture in
            try await insertSessions(1, of: try await fixture.makeApp(), in: fixture)

            let outcomes = await fixture.runner.runDue(at: now)

            guard case .failed(let report, let error) = outcomes["break-first"] else {
                Issue.record("a division by zero is an error")
                return
            }
            #expect(report.batchCount == 0)
            #expect((error as? PostgresError)?.sqlState == "22012")
            guard case .finished = outcomes["end-some"] else {
                Issue.record("the other job did not run")
                return
            }
            let runs = try await fixture.database.system { $0.lastJobRuns(of: ["break-first", "end-some"]) }
            #expect(runs["break-first"]?.error == "server, SQLSTATE 22012")
            #expect(runs["break-first"]?.finishedAt == now)
            #expect(runs["end-some"]?.error == nil)
        }
    }

    @Test func `what earlier batches did stays when a later one fails`() async throws {
        // The third session fails: its batch is undone, the first batch is not.
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            let app = try await fixture.makeApp()
            try await insertSessions(3, of: app, in: fixture)
            try await fixture.execute("create sequence ends")
            try await fixture.execute("grant usage on sequence ends to gatepost_worker")
            try await fixture.execute(
                "alter table sessions add constraint sessions_two_end check (ended_at is null or nextval('ends') <= 2)")

            await #expect(throws: PostgresError.self) { try await fixture.runner.run("end-some", at: now) }

            #expect(try await fixture.execute("select id from sessions where ended_at is not null").count == 2)
            let run = try await fixture.database.system { $0.lastJobRuns(of: ["end-some"]) }["end-some"]
            #expect(run?.rowCount == 2)
            #expect(run?.batchCount == 1)
            #expect(run?.error?.contains("sessions_two_end") == true)
        }
    }

    @Test func `a batch that takes too long is ended`() async throws {
        let slow = try JobFile(
            name: "sleep-long",
            text: """
                -- Sleeps.
                --
                -- Longer than it may.
                --
                -- schedule: * * * * *
                -- batch:    1
                -- timeout:  1 second

                select null::uuid as app_id from pg_sleep(60) limit :batch;
                """)
        try await JobFixture.with(jobs: [slow]) { fixture in
            await #expect(throws: PostgresError.self) { try await fixture.runner.run("sleep-long", at: now) }

            let run = try await fixture.database.system { $0.lastJobRuns(of: ["sleep-long"]) }["sleep-long"]
            #expect(run?.error != nil)
        }
    }

    @Test func `a dry run counts and touches nothing`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            let app = try await fixture.makeApp()
            try await insertSessions(5, of: app, in: fixture)

            let report = try await fixture.runner.dryRun("end-some", at: now)

            #expect(report.rowsByApp == [app.id: 5])
            #expect(report.batchCount == 3)
            #expect(try await fixture.execute("select id from sessions where ended_at is null").count == 5)
            #expect(try await fixture.execute("select job from job_runs").isEmpty)
        }
    }

    @Test func `a dry run ends after its share of batches`() async throws {
        let jobs = [try Self.job("end-some", Self.ending)]
        try await JobFixture.with(jobs: jobs) { fixture in
            let count = 2 * JobRunner.dryRunBatchCountMax + 1
            try await insertSessions(count, of: try await fixture.makeApp(), in: fixture)

            let report = try await fixture.runner.dryRun("end-some", at: now)

            #expect(report.isCutShort)
            #expect(report.batchCount == JobRunner.dryRunBatchCountMax)
        }
    }

    @Test func `rows of no app are counted apart`() async throws {
        let jobs = [try Self.job("count-none", "select null::uuid as app_id limit least(:batch, 1)")]
        try await JobFixture.with(jobs: jobs) { fixture in
            let report = try await fixture.runner.run("count-none", at: now)

            #expect(report.rowsWithoutApp == 1)
            #expect(report.rowsByApp.isEmpty)
        }
    }

    @Test func `a job reaches only what the worker's role may touch`() async throws {
        let jobs = [try Self.job("read-passwords", "select app_id from credentials limit :batch")]
        try await JobFixture.with(jobs: jobs) { fixture in
            let error = await #expect(throws: PostgresError.self) {
                try await fixture.runner.run("read-passwords", at: now)
            }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `an unknown job is named`() async throws {
        try await JobFixture.with { fixture in
            await #expect(throws: JobRunnerError.unknownJob("delete-everything")) {
                try await fixture.runner.run("delete-everything", at: now)
            }
        }
    }
}
