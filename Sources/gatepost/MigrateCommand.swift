import ArgumentParser
import GatepostModel
import GatepostStore
import Postgres

/// `gatepost migrate`: brings the schema up to date.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database up to date.",
        discussion: """
            Connects by GATEPOST_DATABASE_MIGRATE_URL, or else by GATEPOST_DATABASE_URL, as a role that owns the
            database and may create roles. Makes missing roles, grants them to the login role of
            GATEPOST_DATABASE_URL, and applies each missing migration in a transaction of its own. Several at once
            are safe: one works, the others wait and find it done. Afterwards the ledger's partitions of the
            next days are made.
            """)

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let configuration = try Configuration(environment: environment(), for: .database)
        let applied = try await Self.migrate(configuration)
        if output.json { return try Terminal.sayJSON(["applied": applied]) }
        for name in applied { Terminal.say("applied \(name)") }
        Terminal.say(applied.isEmpty ? "nothing to do" : "done")
    }

    /// Migrates; returns the names of what was applied.
    static func migrate(_ configuration: Configuration) async throws -> [String] {
        let login = PostgresPool(
            PostgresConfiguration(connectionString: configuration.databaseURL.revealed))
        let url = configuration.databaseMigrateURL ?? configuration.databaseURL
        let pool = PostgresPool(PostgresConfiguration(connectionString: url.revealed))
        do {
            let row = try await login.batch(["select current_user as login"], deadline: .seconds(10)).first?.first
            let applied = try await Migrator(pool: pool).migrate(loginRole: row?.get("login") ?? "")
            await keepPartitions(through: login)
            await login.shutdown()
            await pool.shutdown()
            return applied
        } catch {
            await login.shutdown()
            await pool.shutdown()
            throw error
        }
    }
}
