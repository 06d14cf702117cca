import GatepostModel
package import Postgres

/// Gatepost's database: the one place where a statement gets its role, its app and its limits.
///
/// Every call begins with one select that sets them for this transaction only and travels in the same round
/// trip, because nothing may be left on a connection: all of it runs behind pgbouncer in transaction mode.
/// The login role itself may read nothing, so a statement that bypassed this would be refused (42501).
package struct Database: Sendable {
    /// How long a statement on the shared connections waits for a row lock before it moves to an exclusive one.
    package static let sharedLockTimeoutMilliseconds = 250
    /// The same as most transactions set it: it stands in their text, for each parameter costs on both sides.
    private static let sharedLockTimeout: SQL = "'250ms'"

    /// Whether a commit waits for the disk.
    package enum Durability: Sendable {
        /// For everything that a person was told.
        case synchronous
        /// For what may be lost with the server's last moments: counted attempts, claims, settlements.
        case asynchronous
    }

    /// Whose rights a statement across apps has.
    package enum SystemRole: String, Sendable {
        /// Workers and jobs: the tables listed in migrations/0012_worker.sql.
        case worker = "gatepost_worker"
        /// Migrations and partition upkeep.
        case owner = "gatepost_owner"
    }

    let pool: PostgresPool
    let deadline: Duration
    let scopes: AppCache

    /// Wraps a pool.
    ///
    /// - Parameters:
    ///   - pool: Connections of a login role that is a member of Gatepost's roles and inherits none of them.
    ///   - deadline: How long one call may take in all.
    package init(pool: PostgresPool, deadline: Duration = .seconds(10)) {
        self.init(pool: pool, deadline: deadline, scopes: AppCache())
    }

    /// Wraps a pool, with a memory of apps whose time tests set.
    init(pool: PostgresPool, deadline: Duration, scopes: AppCache) {
        (self.pool, self.deadline, self.scopes) = (pool, deadline, scopes)
    }

    /// Runs statements for one app as one implicit transaction, in one round trip.
    ///
    /// The statements are fixed in advance; what a later one needs from an earlier one is expressed in SQL. A
    /// statement that waits longer than the shared lock timeout is tried once more on an exclusive connection.
    ///
    /// - Returns: What the reading that `build` returns makes of its statement's rows.
    package func batch<Output>(
        in scope: AppScope, durability: Durability = .synchronous,
        _ build: (inout AppBatch) -> BatchReading<Output>
    ) async throws -> Output {
        var batch = AppBatch(scope: scope)
        let reading = build(&batch)
        return try reading.decode(try await run(batch.statements, of: .app(scope.appID), durability))
    }

    /// The same where nothing is read.
    package func batch(
        in scope: AppScope, durability: Durability = .synchronous, _ build: (inout AppBatch) -> Void
    ) async throws {
        var batch = AppBatch(scope: scope)
        build(&batch)
        _ = try await run(batch.statements, of: .app(scope.appID), durability)
    }

    /// Runs a transaction for one app in which a later statement depends on what an earlier one returned.
    ///
    /// It holds an exclusive connection, so it is short: no network, no hash, no sleep inside.
    package func transaction<Output: Sendable>(
        in scope: AppScope, _ body: (AppTransaction) async throws -> Output
    ) async throws -> Output {
        let begin = Self.begin(.app(scope.appID), lockTimeoutMilliseconds: milliseconds(deadline), .synchronous)
        return try await pool.transaction(begin: [begin], deadline: deadline) { transaction in
            try await body(AppTransaction(scope: scope, transaction: transaction))
        }
    }

    /// Runs statements across apps as one implicit transaction, in one round trip.
    package func system<Output>(
        as role: SystemRole = .worker, durability: Durability = .asynchronous,
        _ build: (inout SystemBatch) -> BatchReading<Output>
    ) async throws -> Output {
        var batch = SystemBatch()
        let reading = build(&batch)
        return try reading.decode(try await run(batch.statements, of: .system(role), durability))
    }

    /// Runs a transaction across apps.
    ///
    /// - Parameters:
    ///   - role: Whose rights it has.
    ///   - deadline: How long it may take; the database's own limit unless given (jobs state theirs).
    ///   - body: What it does.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, after a rollback, or `PostgresError`.
    package func systemTransaction<Output: Sendable>(
        as role: SystemRole = .worker, deadline: Duration? = nil,
        _ body: (SystemTransaction) async throws -> Output
    ) async throws -> Output {
        let deadline = deadline ?? self.deadline
        let begin = Self.begin(.system(role), lockTimeoutMilliseconds: milliseconds(deadline), .synchronous)
        return try await pool.transaction(begin: [begin], deadline: deadline) { transaction in
            try await body(SystemTransaction(transaction: transaction))
        }
    }

    private enum Principal {
        case app(AppID)
        case system(SystemRole)
    }

    private func run(
        _ statements: [SQL], of principal: Principal, _ durability: Durability
    ) async throws -> [PostgresResult] {
        func whole(_ lockTimeoutMilliseconds: Int) -> [SQL] {
            [Self.begin(principal, lockTimeoutMilliseconds: lockTimeoutMilliseconds, durability)] + statements
        }
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let results = try await pool.batch(
                whole(Self.sharedLockTimeoutMilliseconds), on: .shared, deadline: deadline)
            return Array(results.dropFirst())
        } catch  where error.sqlState == "55P03" {
            // What is left of the deadline; a lock timeout of zero would mean none.
            let rest = max(deadline - (clock.now - start), .milliseconds(1))
            let results = try await pool.batch(whole(milliseconds(rest)), on: .exclusive, deadline: rest)
            return Array(results.dropFirst())
        }
    }

    private func milliseconds(_ duration: Duration) -> Int { Int(duration.microseconds / 1000) }

    /// The select that every transaction begins with; `set local` would warn outside an explicit transaction.
    private static func begin(
        _ principal: Principal, lockTimeoutMilliseconds: Int, _ durability: Durability
    ) -> SQL {
        let lockTimeout = "\(lockTimeoutMilliseconds)ms"
        let commit: SQL = durability == .synchronous ? "'on'" : "'off'"
        switch principal {
        case .app(let app):
            let wait = lockTimeoutMilliseconds == sharedLockTimeoutMilliseconds ? sharedLockTimeout : "\(lockTimeout)"
            // A plan that was made while a table was small reads it whole, until statistics come: each request of a
            // burst after a start would cost what all before it have left.
            return """
                select set_config('role', 'gatepost_app', true),
                       set_config('gatepost.app_id', \(app)::uuid::text, true),
                       set_config('lock_timeout', \(wait), true), set_config('synchronous_commit', \(commit), true),
                       set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)
                """
        case .system(let role):
            // The planner's statistics lie about a queue: each statement has exactly one index it is meant to use, and
            // in its order, which a bitmap would lose (a sort of the whole backlog for every claim). Where a small
            // table is read whole all the same, the cost that forbids it has Postgres compile it: 4 s instead of 5 ms.
            return """
                select set_config('role', \(role.rawValue), true), set_config('lock_timeout', \(lockTimeout), true),
                       set_config('synchronous_commit', \(commit), true), set_config('enable_seqscan', 'off', true),
                       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
                       set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)
                """
        }
    }
}
