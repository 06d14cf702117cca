import Postgres

extension Database {
    /// Why the login role must not be used.
    package enum UnfitLogin: Error, CustomStringConvertible {
        case readsTables, notMigrated

        package var description: String {
            switch self {
            case .readsTables:
                "the login role of GATEPOST_DATABASE_URL may read tables itself, past row-level security: it must be "
                    + "NOINHERIT, no superuser and no owner of tables (create role … login noinherit)"
            case .notMigrated: "the schema is missing or old: run gatepost migrate"
            }
        }
    }

    /// Whether each of these migrations has been applied; throws while the database does not answer.
    package func hasApplied(_ migrations: [Migrator.Migration]) async throws -> Bool {
        let numbers = migrations.map { Int32(clamping: $0.number) }
        let applied = try await system(as: .owner) { batch in
            batch.read("select count(*) as count from schema_migrations where number = any (\(numbers))") { rows in
                try rows.first?.get("count", as: Int64.self) ?? 0
            }
        }
        return applied == Int64(numbers.count)
    }

    /// Refuses a login role that could see past row-level security, and a schema that is not this program's.
    ///
    /// A member inherits its roles' policies and an owner passes them all, so a statement that forgot its role
    /// would see every app. Better not to start.
    package func checkLogin() async throws {
        let results = try await pool.batch(
            [
                """
                select to_regclass('public.schema_migrations') is null as is_bare,
                       (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
                       or coalesce(has_table_privilege(current_user, to_regclass('public.flows'), 'select'), false)
                       as reads_tables
                """
            ], on: .exclusive, deadline: deadline)
        guard let row = results.first?.first, try !row.get("is_bare", as: Bool.self) else {
            throw UnfitLogin.notMigrated
        }
        if try row.get("reads_tables", as: Bool.self) { throw UnfitLogin.readsTables }
        let applied = try await systemTransaction(as: .owner) { transaction in
            try await transaction.query("select count(*) as count from schema_migrations").first?.get(
                "count", as: Int64.self)
        }
        guard let applied, applied >= Int64(try Migrator.packaged().count) else { throw UnfitLogin.notMigrated }
    }
}
