@testable import GatepostStore
import GatepostModel
import Postgres
import TestSupport
import Testing

/// The database's clock is put away from the host's by a function that hides the one that is sampled.
@Suite("Database clock", .ownDatabase)
struct DatabaseClockTests {
    /// How far a sample may be off: half of a round trip, on a machine that does other things as well.
    private static let tolerance: Duration = .seconds(20)

    /// Sets the database's time this far from the host's; nil makes asking for it fail.
    private func setDatabaseTime(ahead: String?) async throws {
        let database = try await TestDatabase.current
        try await database.withSuperuser { pool in
            let time =
                ahead.map { "pg_catalog.clock_timestamp() + interval '\($0)'" }
                ?? "(1 / (random() * 0)::int)::text::timestamptz"
            try await pool.run(
                .trusted(
                    """
                    create or replace function clock_timestamp() returns timestamptz volatile language sql
                    as $$ select \(time) $$
                    """))
            try await pool.run(.trusted("alter database \(database.name) set search_path = public, pg_catalog"))
        }
    }

    /// How far a clock is ahead of the host's time, as Postgres on this host tells it.
    private func lead(of clock: DatabaseClock) async throws -> Duration {
        try await TestDatabase.current.withSuperuser { pool in
            let rows = try await pool.run("select pg_catalog.clock_timestamp() as now")
            return clock.now - (try #require(rows.first).get("now", as: Instant.self))
        }
    }

    @Test func `a host whose time is ten minutes off has the database's time all the same`() async throws {
        try await setDatabaseTime(ahead: "-10 minutes")

        let clock = try await DatabaseClock(pool: TestDatabase.current.pool)

        let lead = try await lead(of: clock)
        #expect(lead > .minutes(-10) - Self.tolerance && lead < .minutes(-10) + Self.tolerance)
    }

    @Test func `another sample follows the database`() async throws {
        try await setDatabaseTime(ahead: "0")
        let clock = try await DatabaseClock(pool: TestDatabase.current.pool)

        try await setDatabaseTime(ahead: "1 hour")
        #expect(try await lead(of: clock) < Self.tolerance)
        while try await !clock.takeSample() {}

        let lead = try await lead(of: clock)
        #expect(lead > .hours(1) - Self.tolerance && lead < .hours(1) + Self.tolerance)
    }

    @Test func `a sample that fails leaves the time as it was`() async throws {
        try await setDatabaseTime(ahead: "1 hour")
        let clock = try await DatabaseClock(pool: TestDatabase.current.pool)

        try await setDatabaseTime(ahead: nil)
        await #expect(throws: PostgresError.self) { try await clock.takeSample() }

        let lead = try await lead(of: clock)
        #expect(lead > .hours(1) - Self.tolerance && lead < .hours(1) + Self.tolerance)
    }

    @Test func `a sample that took long is ignored while a better one is there, but not for ever`() {
        func sample(_ roundTrip: Duration, at takenAt: Duration) -> DatabaseClock.Sample {
            DatabaseClock.Sample(offset: 0, roundTrip: roundTrip, takenAt: takenAt)
        }
        let (bound, age) = (DatabaseClock.roundTripMax, DatabaseClock.sampleAgeMax)
        let good = sample(.milliseconds(1), at: .zero)
        let slow = bound + .milliseconds(1)

        #expect(sample(bound, at: age).replaces(good))
        #expect(!sample(slow, at: age).replaces(good))
        #expect(sample(slow, at: age + .milliseconds(1)).replaces(good))
        #expect(sample(slow, at: age).replaces(nil))
        #expect(sample(slow, at: age).replaces(sample(slow + .seconds(1), at: .zero)))
    }

    @Test func `a sample slowed down on its way does not move the time`() async throws {
        try await setDatabaseTime(ahead: "0")
        let clock = try await DatabaseClock(pool: TestDatabase.current.pool)

        // An answer that is an hour ahead and comes late.
        try await setDatabaseTime(ahead: "1 hour' + (select interval '0' from pg_sleep(1.5)) + interval '0")

        #expect(try await !clock.takeSample())
        #expect(try await lead(of: clock) < Self.tolerance)
    }

    @Test func `between samples time does not go back`() async throws {
        let clock = try await DatabaseClock(pool: TestDatabase.current.pool)

        let readings = (0..<1000).map { _ in clock.now }

        #expect(readings == readings.sorted())
    }
}
