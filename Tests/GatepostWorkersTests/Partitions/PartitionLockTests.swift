import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// What the upkeep does beside others who use the tables, and beside itself.
@Suite("Partitions: locks", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct PartitionLockTests {
    @Test func `the upkeep gives up before a lock that somebody holds, and does its work later`() async throws {
        try await PartitionWorld.with { world in
            let app = try await world.makeApp(historyDays: nil)
            try await world.settle(try await world.claim(3, of: app))
            _ = try await world.runner.run("enqueue-partition-upkeep", at: world.clock.now)
            let worker = world.worker(lockTimeout: .milliseconds(50))

            // A report that reads the ledger.
            try await world.superuser.transaction(
                begin: ["lock table deliveries in access share mode"], deadline: .seconds(60)
            ) { _ in
                try await worker.drain()

                #expect(try await world.days(of: "deliveries") == [])
                #expect(world.log.count(of: "a message could not be attempted") == 1)
                #expect(world.log.count(of: "55P03") == 1)
                let waiting = "select ready::text || ' ' || attempt_count from outbox where kind = 'partition.upkeep'"
                #expect(try await world.texts(.trusted(waiting)) == ["false 0"])
                // Whoever settles meanwhile is not held up by it.
                #expect(try await world.settle(try await world.claim(2, of: app)) == 2)
            }
            world.clock.advance(by: .seconds(30))
            try await worker.drain()

            #expect(try await world.days(of: "deliveries").count == 8)
            #expect(try await world.count("deliveries", of: app, in: "deliveries_20260302") == 5)
            #expect(try await world.texts("select kind from outbox") == [])
            #expect(
                try await world.texts("select outcome from deliveries where kind = 'partition.upkeep'") == ["delivered"]
            )
        }
    }

    @Test func `a day ahead is made while somebody reads the table's days`() async throws {
        try await PartitionWorld.with { world in
            let keeper = PartitionKeeper(database: world.database, lockTimeout: .milliseconds(50))
            _ = try await keeper.run(at: world.clock.now)
            let today = "lock table deliveries_20260302, delivery_attempts_20260302 in row exclusive mode"

            try await world.superuser.transaction(begin: [.trusted(today)], deadline: .seconds(60)) { _ in
                let report = try await keeper.run(at: world.clock.now + .days(1))

                #expect(report.made == ["deliveries_20260310", "delivery_attempts_20260310"])
            }
        }
    }

    @Test func `two upkeeps at once do each thing once and do no harm`() async throws {
        try await PartitionWorld.with { world in
            let app = try await world.makeApp(historyDays: nil)
            // Of a time that no app needs any more.
            let keeper = PartitionKeeper(database: world.database, lockTimeout: .seconds(30))
            _ = try await keeper.run(at: world.clock.now - .days(60))
            try await world.settle(try await world.claim(50, of: app))

            async let first = keeper.run(at: world.clock.now)
            async let second = keeper.run(at: world.clock.now)
            let reports = [try await first, try await second]

            let made = reports.flatMap(\.made)
            #expect(made.count == 16 && Set(made).count == 16)
            let dropped = reports.flatMap(\.dropped)
            #expect(dropped.count == 16 && Set(dropped).count == 16)
            #expect(reports.map(\.movedRowCount).reduce(0, +) == 100)
            for table in ["deliveries", "delivery_attempts"] {
                #expect(try await world.days(of: table).count == 8)
                #expect(try await world.count(table, of: app, in: "\(table)_20260302") == 50)
            }
        }
    }

    @Test func `messages are settled while the day that they end on is made and its rows are moved`() async throws {
        try await PartitionWorld.with { world in
            let app = try await world.makeApp(historyDays: nil)
            let claimed = try await world.claim(200, of: app)
            let keeper = PartitionKeeper(database: world.database, lockTimeout: .seconds(30))

            let settled = try await withThrowingTaskGroup(of: Int.self) { group in
                for message in claimed { group.addTask { try await world.settle([message]) } }
                group.addTask {
                    _ = try await keeper.run(at: world.clock.now)
                    return 0
                }
                return try await group.reduce(0, +)
            }

            #expect(settled == 200)
            #expect(try await world.count("deliveries", of: app) == 200)
            _ = try await keeper.run(at: world.clock.now)
            #expect(try await world.count("deliveries", of: app, in: "deliveries_20260302") == 200)
            #expect(try await world.count("delivery_attempts", of: app, in: "delivery_attempts_20260302") == 200)
        }
    }
}
