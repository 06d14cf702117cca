import GatepostDev
import GatepostModel
import Postgres

/// Looks at a site's outbox from outside, as the superuser, on a connection of its own.
struct Gauge: Sendable {
    private static let deadline: Duration = .seconds(30)
    private let pool: PostgresPool

    /// Runs `body` with a gauge.
    static func on<Output>(_ site: Site, _ body: (Gauge) async throws -> Output) async throws -> Output {
        var settings = PostgresConfiguration(connectionString: site.lab.postgres.url(database: site.name))
        settings.sharedConnectionsMax = 1
        let pool = PostgresPool(settings)
        let result: Result<Output, any Error>
        do { result = .success(try await body(Gauge(pool: pool))) } catch { result = .failure(error) }
        await pool.shutdown()
        return try result.get()
    }

    /// Waits until nothing is owed any more, by one app or by all, and returns how long that took.
    ///
    /// - Parameters:
    ///   - app: Whose messages are waited for; nil for everybody's.
    ///   - pause: Between two looks.
    ///   - bound: How long it may take.
    ///   - look: Called at each look.
    /// - Returns: The time from the call on.
    /// - Throws: `Program.Failed` where something is still owed after the bound, or what `look` throws.
    @discardableResult
    func untilSettled(
        of app: AppID? = nil, pause: Duration = .milliseconds(20), within bound: Duration,
        _ look: () throws -> Void = {}
    ) async throws -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        while clock.now - start < bound {
            if try await isSettled(of: app) { return clock.now - start }
            try look()
            try await Task.sleep(for: pause)
        }
        throw Program.Failed(description: "after \(bound) something is still owed: \(try await summary())")
    }

    private func isSettled(of app: AppID?) async throws -> Bool {
        let whose: SQL = app.map { "app_id = \($0)" } ?? "app_id is not null"
        // By the primary key, whose dead entries are skipped once seen: read from its start, the table shows this
        // connection again and again what has been settled, which costs more and more.
        let rows = try await pool.batch(
            [
                """
                select (select app_id from outbox where \(whose) order by app_id, id limit 1) is null as settled
                """
            ], deadline: Self.deadline)
        return try rows[0].first?.get("settled") ?? false
    }

    /// How many messages of a kind ended otherwise than they should.
    func count(of kind: String, endingOtherThan end: String) async throws -> Int {
        let rows = try await pool.batch(
            ["select count(*) as count from deliveries where kind = \(kind) and outcome <> \(end)"],
            deadline: Self.deadline)
        return try rows[0].first?.get("count") ?? 0
    }

    /// How many messages are owed.
    func owedCount() async throws -> Int {
        let rows = try await pool.batch(["select count(*) as count from outbox"], deadline: Self.deadline)
        return try rows[0].first?.get("count") ?? 0
    }

    private func summary() async throws -> String {
        let rows = try await pool.batch(
            [
                """
                select coalesce(string_agg(kind || ' ' || ready || ' ' || count, ', '), 'nothing') as summary
                  from (select kind, ready, count(*) as count from outbox group by kind, ready) as owed
                """
            ], deadline: Self.deadline)
        return try rows[0].first?.get("summary") ?? ""
    }
}
