import GatepostModel
import GatepostStore
import GatepostTelemetry
import GatepostWorkers
import TestSupport
import Testing

/// What the metrics read in the database.
@Suite("Installation reader", .ownDatabase, .showsSeed)
struct InstallationReaderTests {
    private func reader(_ app: TestApp, pause: Duration = .zero) throws -> InstallationReader {
        let nightly = try JobFile(
            name: "delete-flows",
            text: """
                -- Deletes flows.
                --
                -- They are over.
                --
                -- schedule: 10 3 * * *
                -- batch:    100
                -- timeout:  30 seconds

                select app_id from flows where expires_at < :'now' limit :batch;
                """)
        return InstallationReader(
            database: app.database, catalog: JobCatalog(jobs: [nightly]), clock: app.clock, pause: pause)
    }

    private func text(_ reader: InstallationReader) async -> String {
        MetricRegistry().text(with: await reader.readings())
    }

    @Test func `an owed message has an age, a key has one, and a fresh job has no lag`() async throws {
        let app = try await TestApp.make()
        let reader = try reader(app)
        _ = try await app.signUp(try #require(EmailAddress("ada@example.com")))
        app.clock.advance(by: .seconds(90))

        let text = await text(reader)
        #expect(text.contains("gatepost_database_up 1\n"))
        #expect(text.contains(#"gatepost_outbox_oldest_age_seconds{lane="interactive"} 90"#))
        #expect(text.contains(#"gatepost_outbox_oldest_age_seconds{lane="bulk"} 0"#))
        #expect(text.contains(#"gatepost_job_lag_seconds{job="delete-flows"} 0"#))
        #expect(text.contains(#"gatepost_default_partition_rows{table="delivery_attempts_default"} 0"#))
    }

    @Test func `a job lags from the first due time that had no good run`() async throws {
        let app = try await TestApp.make()
        let reader = try reader(app)
        // The tests' clock begins at nine; ten past three is eighteen hours and ten minutes later.
        app.clock.advance(by: .hours(18) + .minutes(11))
        #expect(await text(reader).contains(#"gatepost_job_lag_seconds{job="delete-flows"} 60"#))

        let due = TestClock.start + .hours(18) + .minutes(10)
        for error in ["broken", nil] {
            _ = try await app.database.system { $0.claimJobRun("delete-flows", dueAt: due, at: app.clock.now) }
            // Claimed, and not finished or finished badly: it still lags.
            #expect(await text(reader).contains(#"gatepost_job_lag_seconds{job="delete-flows"} 60"#))
            try await app.database.system {
                $0.finishJobRun("delete-flows", dueAt: due, at: app.clock.now, rowCount: 0, batchCount: 1, error: error)
            }
        }
        #expect(await text(reader).contains(#"gatepost_job_lag_seconds{job="delete-flows"} 0"#))
    }

    @Test func `the database is asked once, however many ask at once, and again after the pause`() async throws {
        let app = try await TestApp.make()
        let reader = try reader(app, pause: .seconds(3600))
        let first = try await race(8) { await text(reader) }
        _ = try await app.signUp(try #require(EmailAddress("ada@example.com")))
        app.clock.advance(by: .seconds(90))

        #expect(Set(first).count == 1)
        #expect(await text(reader).contains(#"gatepost_outbox_oldest_age_seconds{lane="interactive"} 0"#))
        #expect(await text(try self.reader(app)).contains(#"lane="interactive"} 90"#))
    }

    @Test func `without a database one number is left, and it says so`() async throws {
        let app = try await TestApp.make()
        let database = Database(pool: try await TestDatabase.current.pool, deadline: .seconds(1))
        let reader = InstallationReader(
            database: database, catalog: JobCatalog(jobs: []), clock: app.clock, pause: .zero)
        try await TestDatabase.current.whileDown {
            let samples = await text(reader).split(separator: "\n").filter { !$0.hasPrefix("#") }
            #expect(samples == ["gatepost_database_up 0"])
        }
    }
}
