import GatepostStore
package import Postgres

/// What tests of migrations and of login roles need: a database before the first migration, and other roles.
extension TestDatabase {
    /// The role that Gatepost logs in with in tests.
    package static var loginRole: String { TestCluster.loginRole }

    /// Runs `body` with a database that nobody has migrated, which is dropped afterwards.
    @discardableResult
    package static func withBare<Output>(_ body: (TestDatabase) async throws -> Output) async throws -> Output {
        let name = try await TestCluster.shared.makeDatabase(template: "template0")
        let pool = try await TestCluster.shared.pool(of: name)
        let bare = TestDatabase(name: name, pool: pool, database: Database(pool: pool))
        let result: Result<Output, any Error>
        do { result = .success(try await body(bare)) } catch { result = .failure(error) }
        await pool.shutdown()
        try await TestCluster.shared.drop(name)
        return try result.get()
    }

    /// Runs `body` with a login role of its own, whose name begins with the database's, and removes the role.
    ///
    /// - Parameters:
    ///   - options: What `create role` says of it, such as `inherit`.
    ///   - body: Gets the role's name and connections of it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or what Postgres says.
    @discardableResult
    package func withRole<Output>(
        _ options: String, _ body: (String, PostgresPool) async throws -> Output
    ) async throws -> Output {
        let role = "\(name)_\(options.split(separator: " ").joined(separator: "_"))"
        try await TestCluster.shared.administer("create role \(role) login \(options)")
        let pool = try await TestCluster.shared.pool(of: name, as: role)
        let result: Result<Output, any Error>
        do { result = .success(try await body(role, pool)) } catch { result = .failure(error) }
        await pool.shutdown()
        try await TestCluster.shared.administer("drop role \(role)")
        return try result.get()
    }

    /// Runs `body` with connections of the superuser, past every policy.
    @discardableResult
    package func withSuperuser<Output>(_ body: (PostgresPool) async throws -> Output) async throws -> Output {
        let pool = try await superuserPool()
        let result: Result<Output, any Error>
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        await pool.shutdown()
        return try result.get()
    }
}
