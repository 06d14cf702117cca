import GatepostModel
import Postgres

/// The statements of partition upkeep; names are ours, so their text is trusted, and days are digits.
enum PartitionStatements {
    /// One upkeep at a time: a second one waits for the lock's timeout and then finds done what it came for.
    static let lock: SQL = "select pg_advisory_xact_lock(hashtextextended('partition upkeep', 0))"

    /// For a transaction that does DDL: what waits for its locks waits for whatever it waits for, so it gives up soon.
    ///
    /// Sequential scans are on again, because a day is moved out of a table that has no index on `ended_at`.
    static func limits(lockTimeoutMilliseconds: Int) -> SQL {
        """
        select set_config('lock_timeout', \("\(lockTimeoutMilliseconds)ms"), true),
               set_config('enable_seqscan', 'on', true)
        """
    }

    /// The partitions that a table has.
    static func partitions(of table: PartitionedTable) -> SQL {
        """
        select c.relname::text as name
          from pg_inherits as i
          join pg_class as c on c.oid = i.inhrelid
         where i.inhparent = to_regclass(\("public.\(table.rawValue)"))
        """
    }

    /// The days of which a default partition holds rows, the oldest first.
    static func daysInDefault(of table: PartitionedTable, from day: Int64, limit: Int) -> SQL {
        """
        select distinct floor(extract(epoch from ended_at) / 86400)::bigint as day
          from \(SQL.trusted(table.defaultPartition))
         where ended_at >= \(Instant(daysSince1970: day))
         order by day
         limit \(limit)
        """
    }

    /// How many rows the default partition of each table holds, up to a limit.
    static func defaultRowCounts(limit: Int) -> SQL {
        let counts = PartitionedTable.allCases.map { table in
            """
            select \(table.defaultPartition)::text as name,
                   (select count(*)
                      from (select from \(SQL.trusted(table.defaultPartition)) limit \(limit)) as r) as count
            """ as SQL
        }
        return .joined(counts, separator: " union all ")
    }

    /// How long the app that keeps its history the longest keeps it, in seconds.
    static let longestLife: SQL = """
        select max(coalesce((settings ->> 'delivery_history_seconds')::bigint,
                            \(Lifetimes.deliveryHistory.wholeSeconds))) as seconds
          from apps
        """

    /// Whether a relation is there.
    static func exists(_ name: String) -> SQL {
        "select to_regclass(\("public.\(name)")) is not null as is_there"
    }

    /// A table's columns in their order, as a list for a statement: whatever a later migration adds is moved too.
    static func columns(of table: PartitionedTable) -> SQL {
        """
        select string_agg(quote_ident(attname), ', ' order by attnum) as list
          from pg_attribute
         where attrelid = to_regclass(\("public.\(table.rawValue)")) and attnum > 0 and not attisdropped
        """
    }

    /// Makes a day of which nothing has ended yet.
    ///
    /// Made apart and attached, which keeps out nobody who writes to another day or reads the table itself; `partition
    /// of` would wait for all of them. Its indexes are made by the attaching, on an empty table.
    static func attachEmptyDay(_ day: CivilDate, to table: PartitionedTable) -> [SQL] {
        [create(day, like: table), attach(day, to: table)]
    }

    /// Makes a day that may have rows in the default partition, and moves them.
    ///
    /// Detaching keeps everybody out of the whole table until the commit. Without it, a settle that has chosen the
    /// default partition for its row and waits there is refused (23514) once the day is attached. The indexes are made
    /// after the rows are there: half a minute for a million of them on a busy machine, row by row it was over three.
    static func makeDayAndMoveRows(_ day: CivilDate, in table: PartitionedTable, columns: String) -> [SQL] {
        let (name, parent, rest) = (table.partition(of: day), table.rawValue, table.defaultPartition)
        let start = Instant(daysSince1970: day.daysSince1970)
        return [
            .trusted("alter table \(parent) detach partition \(rest)"),
            create(day, like: table),
            """
            with moved as (
                   delete from \(SQL.trusted(rest))
                    where ended_at >= \(start) and ended_at < \(start + .days(1))
                   returning \(SQL.trusted(columns)))
            insert into \(SQL.trusted(name)) (\(SQL.trusted(columns)))
            select \(SQL.trusted(columns)) from moved
            """,
            attach(day, to: table),
            .trusted("alter table \(parent) attach partition \(rest) default"),
        ]
    }

    private static func create(_ day: CivilDate, like table: PartitionedTable) -> SQL {
        let (name, parent) = (table.partition(of: day), table.rawValue)
        return .trusted("create table \(name) (like \(parent) including defaults including constraints)")
    }

    private static func attach(_ day: CivilDate, to table: PartitionedTable) -> SQL {
        let (name, parent) = (table.partition(of: day), table.rawValue)
        return .trusted("alter table \(parent) attach partition \(name) \(bounds(of: day))")
    }

    /// Lets the planner know what was moved into a day.
    static func analyze(_ day: CivilDate, of table: PartitionedTable) -> SQL {
        .trusted("analyze \(table.partition(of: day))")
    }

    /// Drops a day; `detach concurrently` is refused beside a default partition.
    static func drop(_ day: CivilDate, of table: PartitionedTable) -> SQL {
        .trusted("drop table if exists \(table.partition(of: day))")
    }

    private static func bounds(of day: CivilDate) -> String {
        let next = CivilDate(daysSince1970: day.daysSince1970 + 1)
        return "for values from ('\(day) 00:00:00+00') to ('\(next) 00:00:00+00')"
    }
}
