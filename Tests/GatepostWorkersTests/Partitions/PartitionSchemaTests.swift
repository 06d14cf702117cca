import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A partition that the upkeep has made is what one of the migrations would be.
@Suite("Partitions: schema", .ownDatabase)
struct PartitionSchemaTests {
    @Test func `both ways of making a day give it the same columns, checks, indexes and owner, and no rights`()
        async throws
    {
        try await PartitionWorld.with { world in
            _ = try await PartitionKeeper(database: world.database).run(at: world.clock.now)
            for table in ["deliveries", "delivery_attempts"] {
                let shapes = try await ["20260302", "20260309", "default"].map { "\(table)_\($0)" }.asyncMap { name in
                    try await shape(of: name, world)
                }
                #expect(shapes[0].count > 10 && shapes[0] == shapes[1] && shapes[1] == shapes[2])
            }
            let reachable = try await world.texts(
                """
                select c.relname::text
                  from pg_class as c, unnest('{gatepost_app,gatepost_worker}'::text[]) as r
                 where c.relispartition and c.relkind = 'r'
                   and has_table_privilege(r, c.oid, 'select,insert,update,delete')
                """)
            #expect(reachable == [])
        }
    }

    @Test func `a column that a later migration adds is moved with its row`() async throws {
        try await PartitionWorld.with { world in
            let app = try await world.makeApp(historyDays: nil)
            try await world.superuser.batch(
                ["alter table deliveries add column colour text"], on: .exclusive, deadline: .seconds(10))
            try await world.settle(try await world.claim(1, of: app))
            try await world.superuser.batch(["update deliveries set colour = 'red'"], deadline: .seconds(10))

            _ = try await PartitionKeeper(database: world.database).run(at: world.clock.now)

            #expect(try await world.texts("select colour from deliveries_20260302") == ["red"])
        }
    }

    @Test func `the built-in app's own time counts, and an app that keeps more keeps every day`() async throws {
        try await PartitionWorld.with { world in
            let keeper = PartitionKeeper(database: world.database)
            _ = try await keeper.run(at: world.clock.now)
            let patient = try await world.makeApp(historyDays: 60)
            #expect(patient.settings.deliveryHistoryLife == .days(60))

            let early = try await keeper.run(at: world.clock.now + .days(61))
            let late = try await keeper.run(at: world.clock.now + .days(62))

            // Nine o'clock: the first day has ended 60 days and nine hours ago, then a day more.
            #expect(early.dropped == [])
            #expect(late.dropped == ["deliveries_20260302", "delivery_attempts_20260302"])
        }
    }

    /// Columns, checks and indexes of a partition, its name left out.
    private func shape(of name: String, _ world: PartitionWorld) async throws -> [String] {
        try await world.texts(
            """
            select 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
              from pg_attribute where attrelid = \(name)::regclass and attnum > 0
             union all
            select 'check ' || conname || ' ' || pg_get_constraintdef(oid)
              from pg_constraint where conrelid = \(name)::regclass and contype = 'c'
             union all
            select 'index ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING', '')
              from pg_index where indrelid = \(name)::regclass
             union all
            select 'owner ' || relowner::regrole from pg_class where oid = \(name)::regclass
             order by 1
            """)
    }
}

extension Array {
    fileprivate func asyncMap<Output>(_ transform: (Element) async throws -> Output) async throws -> [Output] {
        var outputs: [Output] = []
        for element in self { outputs.append(try await transform(element)) }
        return outputs
    }
}
