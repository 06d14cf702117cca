import GatepostModel
import GatepostStore
import Postgres

/// Copies of tables that hold rows, for looking at the plans that statements get where there is much to read.
///
/// A plan of an empty table says nothing: reading all of it costs nothing, too. So the check makes each table that a
/// job names once more, as a temporary one of its own transaction, with the same columns and the same indexes, fills it
/// with rows that nothing is known of but their types, and analyzes it. An unqualified name finds the temporary table
/// first. The real tables are neither written nor locked, and no right is needed but to make temporary tables. Checks
/// and foreign keys are left out; what a check allows is where the values of a column come from.
struct SeededTables {
    /// Rows of a table that grows.
    static let rowCount = 10_000
    /// Rows of a table that has a handful for each app; also how many apps the rows are of.
    static let smallRowCount = 50

    private let transaction: SystemTransaction
    private let now: Instant

    init(in transaction: SystemTransaction, at now: Instant) {
        (self.transaction, self.now) = (transaction, now)
    }

    /// Makes and fills copies of those tables that are there.
    ///
    /// - Parameters:
    ///   - wanted: Words of the statements, among them the names of tables.
    ///   - small: Tables that have few rows.
    /// - Throws: `PostgresError`.
    func make(_ wanted: Set<String>, small: Set<String>) async throws {
        for (table, columns) in try await columns(of: wanted) {
            let definitions = columns.map { "\"\($0.name)\" \($0.type)\($0.isRequired ? " not null" : "")" }
            let key = columns.first?.partitionKey.map { " partition by \($0)" } ?? ""
            try await run("create temporary table \(table) (\(definitions.joined(separator: ", ")))\(key)")
            for definition in try await indexes(of: table) { try await run(definition) }
            if !key.isEmpty { try await makePartitions(of: table) }
            let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
            let values = columns.enumerated().map { $1.value(salt: $0 * 101) }.joined(separator: ", ")
            let count = small.contains(table) ? Self.smallRowCount : Self.rowCount
            // Rows that break a unique index are left out: of most it does not matter how many there are.
            _ = try await transaction.query(
                """
                insert into \(SQL.trusted(table)) (\(SQL.trusted(names)))
                select \(SQL.trusted(values))
                  from (select n, \(now)::timestamptz as now from generate_series(1, \(count)::int) as n) as source
                    on conflict do nothing
                """)
            try await run("analyze \(table)")
        }
    }

    /// Three partitions of three weeks and the default one: as many as it takes to see what is done with several.
    private func makePartitions(of table: String) async throws {
        let bounds = [-63, -42, -21, 0].map { now + .days($0) }
        for (number, (start, end)) in zip(bounds, bounds.dropFirst()).enumerated() {
            let range = "for values from ('\(start)') to ('\(end)')"
            try await run("create temporary table \(table)_\(number) partition of \(table) \(range)")
        }
        try await run("create temporary table \(table)_default partition of \(table) default")
    }

    private func columns(of wanted: Set<String>) async throws -> [(table: String, columns: [Column])] {
        let rows = try await transaction.query(
            """
            select c.relname::text as table_name, a.attname::text as name, a.attnotnull as is_required,
                   format_type(a.atttypid, a.atttypmod) as type,
                   case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_key,
                   array(select m[1]
                           from pg_constraint as k,
                                regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::text', 'g') as m
                          where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
                          order by k.conname, m[1]) as known
              from pg_class as c
              join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
               and c.relname = any (\(wanted.sorted())::text[])
             order by c.relname, a.attnum
            """)
        let columns = try rows.map { row in (try row.get("table_name", as: String.self), try Column(row)) }
        return Dictionary(grouping: columns, by: \.0).mapValues { $0.map(\.1) }
            .sorted { $0.key < $1.key }.map { (table: $0.key, columns: $0.value) }
    }

    /// The definitions of a table's indexes, their names kept, for its copy.
    private func indexes(of table: String) async throws -> [String] {
        let rows = try await transaction.query(
            "select pg_get_indexdef(indexrelid) as text from pg_index where indrelid = \("public.\(table)")::regclass")
        return try rows.map { row in
            try row.get("text", as: String.self)
                .replacing(" ON ONLY public.", with: " ON pg_temp.").replacing(" ON public.", with: " ON pg_temp.")
        }
    }

    private func run(_ statement: String) async throws {
        _ = try await transaction.query(.trusted(statement))
    }
}

/// A column of a copied table.
private struct Column {
    let name: String
    let type: String
    let isRequired: Bool
    let partitionKey: String?
    /// The texts that a check names.
    private let known: [String]

    init(_ row: PostgresRow) throws {
        name = try row.get("name")
        type = try row.get("type")
        isRequired = try row.get("is_required")
        partitionKey = try row.get("partition_key")
        known = try row.get("known")
    }

    /// The value in row `n`: null in every other row where it may be, moments half before and half after `now`.
    func value(salt: Int) -> String {
        let value = "(\(some(salt)))::\(type)"
        return isRequired ? value : "case when (n + \(salt)) % 2 = 0 then \(value) end"
    }

    private func some(_ salt: Int) -> String {
        if name == "app_id" { return "md5((n % \(SeededTables.smallRowCount))::text)" }
        switch type {
        case "uuid": return "md5(n::text)"
        case "timestamp with time zone": return "now + make_interval(mins => ((n * 7919 + \(salt)) % 9973 - 4986) * 20)"
        case "text":
            guard !known.isEmpty else { return "'text ' || n" }
            let list = known.map { "'\($0.replacing("'", with: "''"))'" }.joined(separator: ", ")
            return "(array[\(list)])[1 + (n + \(salt)) % \(known.count)]"
        case "boolean": return "n % 2 = 0"
        case "bytea": return "sha256((n::text)::bytea)"
        case "jsonb": return "'{}'"
        case "inet": return "'192.0.2.1'"
        case "date": return "now::date - n % 50"
        case "interval": return "make_interval(mins => n % 500)"
        case _ where type.hasSuffix("[]"): return "'{}'"
        default: return "(n % 100)::text"
        }
    }
}
