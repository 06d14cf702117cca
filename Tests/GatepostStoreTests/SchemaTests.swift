import Foundation
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What every table must be, read from the catalog, so that a new table is held to it as well.
@Suite("Schema")
struct SchemaTests {
    /// The only tables whose key does not begin with the app.
    static let globalTables: Set<String> = ["apps", "job_runs", "schema_migrations"]
    /// The only tables that a scoped statement has no business with.
    static let withoutAppPolicy: Set<String> = ["job_runs", "schema_migrations"]

    /// Runs a query on the catalog as the superuser.
    private func catalog(_ statement: SQL) async throws -> [String] {
        try await TestDatabase.current.withSuperuser { try await $0.texts(statement) }
    }

    /// Tables and partitioned tables, without partitions.
    private static let tables: SQL = """
        select c.oid, c.relname::text as name, c.relrowsecurity, c.relacl, c.relowner
          from pg_class as c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """

    @Test func `every primary key begins with app_id, but for a short list`() async throws {
        let others = try await catalog(
            """
            select t.name
              from (\(Self.tables)) as t
              left join pg_constraint as k on k.conrelid = t.oid and k.contype = 'p'
              left join pg_attribute as a on a.attrelid = t.oid and a.attnum = k.conkey[1]
             where a.attname is distinct from 'app_id'
            """)

        #expect(Set(others) == Self.globalTables)
    }

    @Test func `every foreign key carries app_id on both sides, but for those to apps`() async throws {
        let keys = try await catalog(
            "select conname::text from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace")
        let offenders = try await catalog(
            """
            select k.conname::text
              from pg_constraint as k
             where k.contype = 'f' and k.connamespace = 'public'::regnamespace
               and not exists (
                     select from unnest(k.conkey, k.confkey) as pair (here, there)
                       join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = pair.here
                       join pg_attribute as b on b.attrelid = k.confrelid and b.attnum = pair.there
                      where a.attname = 'app_id'
                        and b.attname = case when k.confrelid = 'apps'::regclass then 'id' else 'app_id' end)
            """)

        #expect(keys.count > 10)
        #expect(offenders == [])
    }

    @Test func `every foreign key is covered by an index that begins with its columns`() async throws {
        // A partial index counts only if all it leaves out is rows without the reference.
        let uncovered = try await catalog(
            """
            select k.conname::text
              from pg_constraint as k
             where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.conparentid = 0
               and not exists (
                     select from pg_index as i
                      where i.indrelid = k.conrelid and i.indisvalid
                        and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey
                        and (i.indpred is null or exists (
                              select from pg_attribute as a
                               where a.attrelid = k.conrelid and a.attnum = any (k.conkey)
                                 and pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))))
            """)

        #expect(uncovered == [])
    }

    @Test func `every index says in a comment above it who reads it`() async throws {
        var names: [String] = []
        for migration in try Migrator.packaged() {
            let lines = migration.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (position, line) in lines.enumerated() {
                guard let match = line.firstMatch(of: #/^create (?:unique )?index ([a-z_]+) /#) else { continue }
                names.append(String(match.1))
                let comment = lines[..<position].reversed().prefix { $0.hasPrefix("--") }.joined(separator: " ")
                #expect(comment.contains(#/[Rr]ead (by|when)|Keeps one/#), "\(match.1) names no reader")
                for job in comment.matches(of: #/jobs/([a-z-]+\.sql)/#) {
                    #expect(Self.jobFiles.contains(String(job.1)), "\(match.1) names a job that is not there")
                }
            }
        }
        let existing = try await catalog(
            """
            select c.relname::text
              from pg_index as i
              join pg_class as c on c.oid = i.indexrelid
             where c.relnamespace = 'public'::regnamespace and not c.relispartition
               and not exists (select from pg_constraint as k where k.conindid = c.oid)
            """)

        #expect(Set(existing) == Set(names))
    }

    @Test func `no table has a trigger and no function of ours is stored`() async throws {
        #expect(try await catalog("select tgname::text from pg_trigger where not tgisinternal") == [])
        #expect(
            try await catalog("select proname::text from pg_proc where pronamespace = 'public'::regnamespace") == [])
    }

    @Test func `every instant is a timestamptz, every hash a bytea and no column has a clock as its default`()
        async throws
    {
        let offenders = try await catalog(
            """
            select t.name || '.' || a.attname
              from (\(Self.tables)) as t
              join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
              left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
             where (a.attname like '%\\_at' and a.atttypid <> 'timestamptz'::regtype)
                or (a.attname like '%\\_hash' and a.attname <> 'password_hash' and a.atttypid <> 'bytea'::regtype)
                or pg_get_expr(d.adbin, d.adrelid) ~* 'now|timestamp|current_date'
            """)

        #expect(offenders == [])
    }

    static let jobFiles: Set<String> = {
        let jobs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../jobs").standardized
        return Set((try? FileManager.default.contentsOfDirectory(atPath: jobs.path(percentEncoded: false))) ?? [])
    }()
}
