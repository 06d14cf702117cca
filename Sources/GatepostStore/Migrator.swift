import Crypto
import Foundation
package import Postgres

/// Brings the schema up to date: every file of `migrations/` once, in order, each in one transaction.
///
/// A file's number is inserted first, so that a second migrator waits for the first and then finds it done. A
/// file that was changed after it was applied is an error: a mistake is mended by the next number.
package struct Migrator: Sendable {
    /// A migration's file.
    package struct Migration: Sendable {
        package let number: Int
        package let name: String
        package let text: String

        /// SHA-256 of the text, in hex.
        package var checksum: String { SHA256.hash(data: Data(text.utf8)).map { Self.hex($0) }.joined() }

        private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    }

    /// Why a migration was not applied.
    package enum Failure: Error, CustomStringConvertible {
        case changed(name: String)
        case failed(name: String, PostgresError)
        case unreadable(file: String)

        package var description: String {
            switch self {
            case .changed(let name): "migration \(name) was changed after it was applied; mend it by a new number"
            case .failed(let name, let error): "migration \(name) failed: \(error)"
            case .unreadable(let file): "\(file) is not a migration: its name is not NNNN_noun.sql"
            }
        }
    }

    /// Gatepost's roles; they belong to the cluster, so only missing ones are made.
    static let roles = ["gatepost_owner", "gatepost_app", "gatepost_worker"]

    private let pool: PostgresPool
    private let deadline: Duration = .seconds(300)

    /// Wraps connections of a role that may create roles and owns the database.
    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Makes missing roles, grants them to the program's login role, and applies what is missing.
    ///
    /// - Parameter loginRole: The role of `GATEPOST_DATABASE_URL`, which must be `noinherit`.
    /// - Returns: The names of the migrations that were applied by this call.
    /// - Throws: `Failure`, or `PostgresError` where roles cannot be made.
    package func migrate(loginRole: String) async throws -> [String] {
        let migrations = try Self.packaged()
        try await prepareRoles(loginRole: loginRole)
        var applied: [String] = []
        for migration in migrations where try await apply(migration) { applied.append(migration.name) }
        return applied
    }

    /// The migrations that come with the program, in order.
    package static func packaged() throws -> [Migration] {
        let folder = Bundle.module.bundleURL.appendingPathComponent("migrations")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".sql") }
            .sorted()
            .map { file in
                guard let number = Int(file.prefix(4)), file.dropFirst(4).hasPrefix("_") else {
                    throw Failure.unreadable(file: file)
                }
                let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                return Migration(number: number, name: String(file.dropLast(4)), text: text)
            }
    }

    private func prepareRoles(loginRole: String) async throws {
        try await pool.transaction(deadline: deadline) { transaction in
            // One migrator at a time makes roles; the lock goes with the transaction.
            _ = try await transaction.query("select pg_advisory_xact_lock(7205759403792793600)")
            for role in Self.roles {
                let known = try await transaction.query("select 1 as one from pg_roles where rolname = \(role)")
                if known.isEmpty { _ = try await transaction.query(.trusted("create role \(role) nologin")) }
            }
            let quoted = try await transaction.query(
                """
                select quote_ident(\(loginRole)) as login, quote_ident(current_user) as migrator,
                       current_user = \(loginRole) as is_same
                """)
            guard let row = quoted.first else { return }
            let login = try row.get("login", as: String.self)
            let migrator = try row.get("migrator", as: String.self)
            let roles = Self.roles.joined(separator: ", ")
            _ = try await transaction.query(.trusted("grant \(roles) to \(login)"))
            if try !row.get("is_same", as: Bool.self) {
                _ = try await transaction.query(.trusted("grant gatepost_owner to \(migrator)"))
            }
            _ = try await transaction.query("grant usage, create on schema public to gatepost_owner")
            _ = try await transaction.query("grant usage on schema public to gatepost_app, gatepost_worker")
            try await createRegister(transaction)
        }
    }

    private func createRegister(_ transaction: PostgresTransaction) async throws {
        _ = try await transaction.query("select set_config('role', 'gatepost_owner', true)")
        let known = try await transaction.query("select 1 as one from pg_tables where tablename = 'schema_migrations'")
        guard known.isEmpty else { return }
        _ = try await transaction.query(
            """
            create table schema_migrations (
              number     integer     not null,
              name       text        not null,
              checksum   text        not null,
              applied_at timestamptz not null,
              constraint schema_migrations_pkey primary key (number)
            )
            """)
    }

    /// Applies one migration unless it has been; returns whether it did.
    private func apply(_ migration: Migration) async throws -> Bool {
        do {
            return try await pool.transaction(
                begin: ["select set_config('role', 'gatepost_owner', true)"], deadline: deadline
            ) { transaction in
                let inserted = try await transaction.query(
                    """
                    insert into schema_migrations (number, name, checksum, applied_at)
                    values (\(migration.number), \(migration.name), \(migration.checksum), clock_timestamp())
                    on conflict (number) do nothing
                    """)
                guard inserted.affectedCount == 1 else {
                    let known = try await transaction.query(
                        "select checksum from schema_migrations where number = \(migration.number)")
                    guard try known.first?.get("checksum", as: String.self) == migration.checksum else {
                        throw Failure.changed(name: migration.name)
                    }
                    return false
                }
                try await transaction.runScript(migration.text)
                return true
            }
        } catch let error as PostgresError {
            throw Failure.failed(name: migration.name, error)
        }
    }
}
