import Foundation

/// What set-up needs: databases, and scripts. Everything else goes through the module `Postgres`.
extension LocalPostgres {
    /// Makes a database.
    ///
    /// - Parameters:
    ///   - name: Its name; any text is quoted.
    ///   - template: The database to copy, to which nobody may be connected.
    /// - Throws: `LocalPostgresError.failed` with what `psql` said.
    package nonisolated func createDatabase(_ name: String, template: String = "template0") async throws {
        try await runScript(
            "create database \(quoted(name)) template \(quoted(template))", database: "postgres")
    }

    /// Removes a database if it exists, and ends the connections to it.
    package nonisolated func dropDatabase(_ name: String) async throws {
        try await runScript("drop database if exists \(quoted(name)) with (force)", database: "postgres")
    }

    /// Runs SQL by `psql`, up to the first error; each statement is its own transaction.
    ///
    /// - Parameters:
    ///   - sql: Statements, and commands of `psql`.
    ///   - database: Where to run it.
    /// - Returns: What it printed: unaligned, without headers.
    /// - Throws: `LocalPostgresError.failed` with what `psql` said.
    @discardableResult
    package nonisolated func runScript(_ sql: String, database: String) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString).sql")
        let isMade = FileManager.default.createFile(
            atPath: file.path, contents: Data(sql.utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else { throw LocalPostgresError.failed(program: "psql", output: "cannot write \(file.path)") }
        defer { try? FileManager.default.removeItem(at: file) }
        let psql = ShortCommand(
            program: programs.path(of: "psql"),
            arguments: [
                "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--file=-",
                "--dbname=\(url(database: database))",
            ], inputFile: file.path)
        let outcome = try await psql.run()
        guard outcome.status == 0 else {
            throw LocalPostgresError.failed(program: "psql", output: outcome.output)
        }
        return outcome.output
    }

    /// The schema of a database as `pg_dump` writes it, without what differs between versions or owners.
    ///
    /// - Parameter database: Which one.
    /// - Returns: Statements, without comments and settings.
    /// - Throws: `LocalPostgresError.failed` with what `pg_dump` said.
    package nonisolated func schema(of database: String) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString).sql")
        defer { try? FileManager.default.removeItem(at: file) }
        let dump = ShortCommand(
            program: programs.path(of: "pg_dump"),
            arguments: [
                "--schema-only", "--no-owner", "--no-comments", "--file=\(file.path)",
                "--dbname=\(url(database: database))",
            ])
        let outcome = try await dump.run()
        guard outcome.status == 0 else {
            throw LocalPostgresError.failed(program: "pg_dump", output: outcome.output)
        }
        let text = try String(contentsOf: file, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            !line.hasPrefix("--") && !line.hasPrefix("SET ") && !line.hasPrefix("SELECT pg_catalog.")
                && !line.hasPrefix("\\")
        }
        let paragraphs = lines.split(whereSeparator: \.isEmpty).map { $0.joined(separator: "\n") }
        return paragraphs.joined(separator: "\n\n") + "\n"
    }

    private nonisolated func quoted(_ name: String) -> String {
        "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
