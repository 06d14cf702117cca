import GatepostModel
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job check", .ownDatabase)
struct JobCheckTests {
    private func findings(_ name: String, _ statement: String) async throws -> [String] {
        let text = """
            -- Tries the check.
            --
            -- Something may be wrong with it.
            --
            -- schedule: * * * * *
            -- batch:    10
            -- timeout:  60 seconds

            \(statement);
            """
        let database = try await TestDatabase.current.database
        let file = Result { () throws(JobFileError) in try JobFile(name: name, text: text) }
        return try await JobCheck(database: database, clock: TestClock()).findings(in: [file]).map(\.description)
    }

    @Test func `all jobs that ship are in order`() async throws {
        let database = try await TestDatabase.current.database
        let files = try JobCatalog.files()

        let findings = try await JobCheck(database: database, clock: TestClock()).findings(in: files)

        #expect(files.count >= 6)
        #expect(findings.map(\.description) == [])
    }

    @Test func `jobs stay in order when tables have grown and were analyzed`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            try await fixture.execute(
                """
                insert into flows (app_id, id, kind, state, email, auth_epoch, secret_epoch, token_hash, link_hash,
                                   code_hash, created_at, expires_at)
                select \(app.id), gen_random_uuid(), 'sign_up', 'pending', 'a@b.test', 1, 1, '', n::text::bytea, '',
                       \(JobFixture.now), \(JobFixture.now) - make_interval(mins => n)
                  from generate_series(1, 5000) as n
                """)
            try await fixture.execute("analyze")

            let findings = try await JobCheck(database: fixture.database, clock: fixture.clock)
                .findings(in: try JobCatalog.files())

            #expect(findings.map(\.description) == [])
        }
    }

    @Test func `a read of a whole table is found`() async throws {
        let found = try await findings(
            "delete-some-flows",
            """
            delete from flows
             where ctid = any (array(select ctid from flows where email = :'now' limit :batch))
            returning app_id
            """)

        #expect(found == ["delete-some-flows.sql: reads all of table flows, which grows"])
    }

    @Test func `a read of a whole index is found`() async throws {
        let found = try await findings(
            "list-all-flows", "select app_id from flows where code_hash = '' order by app_id, id limit :batch")

        #expect(found == ["list-all-flows.sql: reads all of index flows_pkey, on a table that grows"])
    }

    @Test func `a read of a whole table is found that the planner hides while the table is empty`() async throws {
        // The obvious form: a hash of candidates and all of the table beside it.
        let found = try await findings(
            "delete-some-flows",
            """
            delete from flows
             where state in (select min(state) from flows where expires_at < :'now' group by email limit :batch)
            returning app_id
            """)

        #expect(found.contains("delete-some-flows.sql: reads all of table flows, which grows"))
    }

    @Test func `what is planned against is seeded, analyzed and gone again`() async throws {
        let database = try await TestDatabase.current.database
        let job = try #require(try JobCatalog()["delete-past-deliveries"])

        for _ in 1...3 {
            let plans = try await SeededPlan.of(job, in: database)
            #expect(plans.mostRows > 1000, "\(plans.json)")
            // Four partitions, each read by its key.
            #expect(plans.json.contains("deliveries_0") && plans.json.contains("deliveries_default"))
            #expect(plans.json.contains("pg_temp"))
        }
        let left = try await TestDatabase.current.withSuperuser { pool in
            try await pool.batch(
                [.trusted("select relname from pg_class where relpersistence = 't'")], deadline: .seconds(10))[0].count
        }
        #expect(left == 0)
        let report = try await JobRunner(
            database: database, catalog: JobCatalog(), clock: TestClock(), logger: LogLines().logger, pause: { _ in }
        ).run(job.name, at: TestClock.start)
        #expect(report.rowCount == 0)
    }

    @Test func `every statement that ships reads no table whole where it is big`() async throws {
        let database = try await TestDatabase.current.database
        for job in try JobCatalog().jobs {
            let plan = try await SeededPlan.of(job, in: database)
            #expect(plan.wholeReads == [], "\(job.name)")
        }
    }

    @Test func `a small table may be read whole`() async throws {
        #expect(try await findings("list-all-apps", "select id as app_id from apps limit :batch").count == 1)
        #expect(try await findings("list-all-clients", "select null::uuid as app_id from apps limit :batch") == [])
    }

    @Test func `ctid on a partitioned table is found`() async throws {
        let found = try await findings(
            "list-some-deliveries",
            """
            select app_id from deliveries
             where ctid = any (array(select ctid from deliveries
                                      where app_id = '00000000-0000-7000-8000-000000000000' limit :batch))
            """)

        #expect(
            found == [
                "list-some-deliveries.sql: uses ctid and reads deliveries_default: a ctid recurs in each partition, "
                    + "so use the primary key"
            ])
    }

    @Test func `the primary key of a partitioned table is in order`() async throws {
        #expect(
            try await findings(
                "list-some-deliveries",
                """
                select app_id from deliveries
                 where (app_id, id, ended_at) in (select app_id, id, ended_at from deliveries
                                                   where app_id = '00000000-0000-7000-8000-000000000000' limit :batch)
                """) == [])
    }

    @Test(arguments: [
        "delete from flows where id = gen_random_uuid() and app_id = id and :batch > 0",
        "select id from flows where app_id = :'now'::uuid limit :batch",
        "select expires_at, app_id from flows order by expires_at limit :batch",
    ])
    func `rows that do not say their app are found`(_ statement: String) async throws {
        let statement = statement.replacing(":'now'::uuid", with: "'00000000-0000-7000-8000-000000000000'")
        let found = try await findings("list-some-rows", statement)

        #expect(found.contains("list-some-rows.sql: does not return app_id for each row"))
    }

    @Test func `the server's clock is found`() async throws {
        let found = try await findings(
            "list-some-flows", "select app_id from flows where expires_at < now() order by expires_at limit :batch")

        #expect(found == ["list-some-flows.sql: reads the server's clock (now); the time is :'now'"])
    }

    @Test func `an unused parameter is found`() async throws {
        let found = try await findings("list-some-flows", "select app_id from flows limit 1")

        #expect(found == ["list-some-flows.sql:6: parameter 'batch' is stated, but the statement does not use it"])
    }

    @Test func `what the worker's role may not do is found`() async throws {
        let found = try await findings("read-passwords", "select app_id from credentials limit :batch")

        #expect(found.count == 1)
        #expect(found.first?.contains("permission denied for table credentials") == true)
    }

    @Test func `a column that does not exist is found`() async throws {
        let found = try await findings("list-some-flows", "select app_id from flows where colour = 'red' limit :batch")

        #expect(found.count == 1)
        #expect(found.first?.contains("colour") == true)
    }

    @Test func `a check changes nothing`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let old = JobFixture.now - .days(200)
            try await fixture.makeKey(of: app, "retired", createdAt: old, activatedAt: old, retiredAt: old)

            _ = try await JobCheck(database: fixture.database, clock: fixture.clock)
                .findings(in: try JobCatalog.files())

            #expect(try await fixture.keys(of: app, "retired").count == 1)
        }
    }
}
