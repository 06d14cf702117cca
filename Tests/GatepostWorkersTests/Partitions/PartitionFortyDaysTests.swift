import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// Forty days of settlements at moved times, with a daily upkeep but for a gap that is longer than it makes ahead.
@Suite("Partitions through forty days", .ownDatabase, .showsSeed, .timeLimit(.minutes(10)))
struct PartitionFortyDaysTests {
    private static let dayCount: Int64 = 40
    /// The last upkeep before it made the days up to the 18th, so from the 19th on rows fall into the default.
    private static let gap: ClosedRange<Int64> = 12...22
    private static let rowsADay = 4
    private static let tables = ["deliveries", "delivery_attempts"]

    @Test func `no row is lost, old days are dropped, and a gap ends with everything in its place`() async throws {
        try await PartitionWorld.with { world in
            let usual = try await world.makeApp(historyDays: nil)
            let brief = try await world.makeApp(historyDays: 5)
            for day in 0..<Self.dayCount {
                world.clock.set(TestClock.start + .days(day))
                for app in [usual, brief] {
                    let settled = try await world.settle(try await world.claim(Self.rowsADay, of: app))
                    #expect(settled == Self.rowsADay, "a settle failed on day \(day)")
                }
                if Self.gap.contains(day) {
                    try await expectGap(day, world)
                } else {
                    try await upkeep(world)
                    try await expectOrder(day, world)
                }
                try await expectRows(day, usual, brief, world)
            }
            // Ten days of both tables were dropped: the first was kept for 30 days and one more.
            #expect(try await world.days(of: "deliveries").first == "deliveries_20260310")
            #expect(world.log.count(of: "a default partition holds rows") == 4)
        }
    }

    @Test func `the gap's rows wait in the default partition and are moved to the day that they are of`() async throws {
        try await PartitionWorld.with { world in
            let app = try await world.makeApp(historyDays: nil)
            try await upkeep(world)
            for day in [8, 8, 9, 12] as [Int64] {
                world.clock.set(TestClock.start + .days(day))
                try await world.settle(try await world.claim(3, of: app))
            }
            let before = try await world.database.defaultPartitionRowCounts()
            // What no app keeps any more is worth no partition; the sweep takes it where it lies.
            try await plantOldRow(of: app, world)

            _ = try await world.runner.run("enqueue-partition-upkeep", at: world.clock.now)
            try await world.worker().drain()

            #expect(before == ["deliveries_default": 12, "delivery_attempts_default": 12])
            for table in Self.tables {
                #expect(try await world.count(table, of: app, in: "\(table)_20260310") == 6)
                // And the planner knows it.
                let tuples = "select reltuples::int::text from pg_class where relname = '\(table)_20260310'"
                #expect(try await world.texts(.trusted(tuples)) == ["6"])
                #expect(try await world.count(table, of: app, in: "\(table)_20260311") == 3)
                #expect(try await world.count(table, of: app, in: "\(table)_20260314") == 3)
            }
            let after = try await world.database.defaultPartitionRowCounts()
            #expect(after == ["deliveries_default": 1, "delivery_attempts_default": 0])
            _ = try await world.runner.run("delete-past-deliveries", at: world.clock.now)
            #expect(try await world.database.defaultPartitionRowCounts().values.allSatisfy { $0 == 0 })
        }
    }

    /// The jobs of a day, and the worker that does what they ask for.
    private func upkeep(_ world: PartitionWorld) async throws {
        let now = world.clock.now
        for job in ["enqueue-partition-upkeep", "delete-past-deliveries", "delete-past-attempts"] {
            _ = try await world.runner.run(job, at: now)
        }
        try await world.worker().drain()
    }

    private func expectGap(_ day: Int64, _ world: PartitionWorld) async throws {
        let counts = try await world.database.defaultPartitionRowCounts()
        let strayDays = max(day - 18, 0)
        #expect(counts.values.allSatisfy { $0 == Int(strayDays) * 2 * Self.rowsADay }, "day \(day): \(counts)")
    }

    /// After an upkeep there is a partition for each day that an app keeps and for the week ahead, and no other one.
    private func expectOrder(_ day: Int64, _ world: PartitionWorld) async throws {
        #expect(try await world.database.defaultPartitionRowCounts().values.allSatisfy { $0 == 0 }, "day \(day)")
        let today = TestClock.start.seconds / 86400 + day
        let oldest = max(today - day, today - 31)
        for table in Self.tables {
            let expected = (oldest...today + PartitionKeeper.daysAhead).map { number in
                "\(table)_\(CivilDate(daysSince1970: number).description.split(separator: "-").joined())"
            }
            #expect(try await world.days(of: table) == expected, "day \(day)")
        }
    }

    /// What an app keeps is all there, whether or not the upkeep ran, and nothing else is shown.
    private func expectRows(_ day: Int64, _ usual: AppScope, _ brief: AppScope, _ world: PartitionWorld) async throws {
        let isSwept = !Self.gap.contains(day)
        for table in Self.tables {
            // Today's and those of 30 or 31 days before: the oldest day is dropped a day late.
            let kept = try await world.count(table, of: usual)
            let keptDays = min(day + 1, isSwept ? 32 : day + 1)
            #expect(kept == Int(keptDays) * Self.rowsADay, "day \(day): \(table)")
            // Exactly five days old is still kept; in the gap nobody deletes.
            let short = try await world.count(table, of: brief)
            let leastDays = min(day + 1, 6)
            #expect(isSwept ? short == Int(leastDays) * Self.rowsADay : short >= Int(leastDays) * Self.rowsADay)
        }
        for (app, days) in [(usual, min(day + 1, 31)), (brief, min(day + 1, 6))] {
            let shown = try await world.database.batch(in: app) { $0.ledger(limit: 1000, at: world.clock.now) }
            #expect(shown.count == Int(days) * Self.rowsADay, "day \(day)")
        }
    }

    private func plantOldRow(of app: AppScope, _ world: PartitionWorld) async throws {
        let old = world.clock.now - .days(40)
        try await world.superuser.batch(
            [
                """
                insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                        ended_at)
                values (\(app.appID), gen_random_uuid(), 'mail.verification', 'interactive', 'mail', 'delivered', 1,
                        '{}', \(old), \(old))
                """
            ], deadline: .seconds(10))
    }
}
