import GatepostStore
import Postgres
import TestSupport
import Testing

/// Who may do what, read from the catalog.
@Suite("Schema: rights")
struct SchemaRightsTests {
    private func catalog(_ statement: SQL) async throws -> [String] {
        try await TestDatabase.current.withSuperuser { try await $0.texts(statement) }
    }

    @Test func `every table has row-level security and exactly the app's policy, but for a short list`() async throws {
        let unprotected = try await catalog(
            """
            select c.relname::text
              from pg_class as c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
               and not (c.relrowsecurity and exists (
                     select from pg_policies as p
                      where p.tablename = c.relname and p.roles = '{gatepost_app}' and p.cmd = 'ALL'
                        and p.qual = format(
                              '(%s = (NULLIF(current_setting(''gatepost.app_id''::text, true), ''''::text))::uuid)',
                              case c.relname when 'apps' then 'id' else 'app_id' end)
                        and p.with_check = p.qual))
            """)
        let open = try await catalog(
            """
            select relname::text from pg_class
             where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
               and not relrowsecurity
            """)
        let several = try await catalog(
            """
            select tablename::text from pg_policies where 'gatepost_app' = any (roles) group by tablename
            having count(*) > 1
            """)

        #expect(Set(unprotected) == SchemaTests.withoutAppPolicy)
        #expect(several == [])
        #expect(open == ["schema_migrations"])
    }

    @Test func `a policy is for Gatepost's roles only and no role passes them`() async throws {
        let strangers = try await catalog(
            """
            select policyname::text from pg_policies
             where not roles <@ '{gatepost_app,gatepost_worker}'::name[] or permissive <> 'PERMISSIVE'
            """)
        let strong = try await catalog(
            """
            select rolname::text from pg_roles
             where rolname in ('gatepost_owner', 'gatepost_app', 'gatepost_worker', \(TestDatabase.loginRole))
               and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)
            """)

        #expect(strangers == [])
        #expect(strong == [])
    }

    @Test func `the worker's rights are exactly those that the migrations list`() async throws {
        let text = try Migrator.packaged().map(\.text).joined(separator: "\n")
        let granted = text.matches(of: #/(?m)^grant ([a-z, ]+?) +on ([a-z_]+) +to gatepost_worker;/#)
        let listed = granted.flatMap { match in
            match.1.split(separator: ", ").map { "\(match.2) \($0)" }
        }
        let policies = text.matches(of: #/(?m)^create policy ([a-z_]+)_of_worker +on ([a-z_]+) /#)

        let held = try await catalog(
            """
            select c.relname || ' ' || lower(a.privilege_type)
              from pg_class as c, aclexplode(c.relacl) as a
             where c.relnamespace = 'public'::regnamespace and a.grantee in ('gatepost_worker'::regrole, 0)
            """)
        let heldColumns = try await catalog(
            "select attname::text from pg_attribute where attacl is not null and attrelid > 16384")

        #expect(listed.count > 25)
        #expect(held.sorted() == listed.sorted())
        #expect(heldColumns == [])
        #expect(policies.allSatisfy { $0.1 == $0.2 })
        #expect(
            Set(try await catalog("select tablename::text from pg_policies where roles = '{gatepost_worker}'"))
                == Set(policies.map { String($0.2) }))
    }

    @Test func `history is append-only, only jobs delete from it, and nobody may rewrite, truncate or drop`()
        async throws
    {
        let rewritable = try await catalog(
            """
            select t || ' ' || r || ' ' || p
              from unnest('{audit_events,deliveries,delivery_attempts}'::text[]) as t,
                   unnest('{gatepost_app,gatepost_worker}'::text[]) as r, unnest('{update,delete}'::text[]) as p
             where has_table_privilege(r, t, p) and (r, p) <> ('gatepost_worker', 'delete')
            """)
        let beyond = try await catalog(
            """
            select c.relname || ' ' || a.privilege_type
              from pg_class as c, aclexplode(c.relacl) as a
             where c.relnamespace = 'public'::regnamespace and a.grantee <> 'gatepost_owner'::regrole
               and a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
            """)
        let notOurs = try await catalog(
            """
            select relname::text from pg_class
             where relnamespace = 'public'::regnamespace and relowner <> 'gatepost_owner'::regrole
            """)

        #expect(rewritable == [])
        #expect(beyond == [])
        #expect(notOurs == [])
    }

    @Test func `a partition is reached through its table only`() async throws {
        let partitions = try await catalog("select relname::text from pg_class where relispartition and relkind = 'r'")
        let reachable = try await catalog(
            """
            select c.relname::text
              from pg_class as c, unnest('{gatepost_app,gatepost_worker}'::text[]) as r
             where c.relispartition and c.relkind = 'r' and has_table_privilege(r, c.oid, 'select,insert,update,delete')
            """)

        #expect(partitions.count >= 2)
        #expect(reachable == [])
    }
}
