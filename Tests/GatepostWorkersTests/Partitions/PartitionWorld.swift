import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Logging
import Postgres
import TestSupport

/// A test's own database with the jobs on it, a worker that keeps partitions, and a superuser who looks.
struct PartitionWorld: Sendable {
    let database: Database
    let superuser: PostgresPool
    let clock = TestClock()
    let random = SeededRandom()
    let log = LogLines()
    let runner: JobRunner

    /// Runs `body` with a world; the suite has to have the trait `.ownDatabase`.
    static func with(_ body: (PartitionWorld) async throws -> Void) async throws {
        let test = try await TestDatabase.current
        let superuser = try await test.superuserPool()
        do {
            try await body(try PartitionWorld(test.database, superuser))
        } catch {
            await superuser.shutdown()
            throw error
        }
        await superuser.shutdown()
    }

    private init(_ database: Database, _ superuser: PostgresPool) throws {
        (self.database, self.superuser) = (database, superuser)
        runner = JobRunner(
            database: database, catalog: try JobCatalog(), clock: clock, logger: log.logger, pause: { _ in })
    }

    /// A worker that handles the upkeep and nothing else.
    func worker(lockTimeout: Duration = PartitionKeeper.lockTimeout) -> OutboxWorker {
        let handler = PartitionUpkeepHandler(
            database: database, clock: clock, keeper: PartitionKeeper(database: database, lockTimeout: lockTimeout),
            logger: log.logger)
        return OutboxWorker(
            database: database, clock: clock, random: random, handlers: [PartitionUpkeep.kind: handler],
            logger: log.logger)
    }

    /// Makes an app that keeps its history for its own time.
    func makeApp(historyDays: Int64?) async throws -> AppScope {
        var settings = AppSettings()
        settings.deliveryHistorySeconds = historyDays.map { $0 * 86400 }
        let id: AppID = .make(at: clock.now, random: random)
        try await database.createApp(id, named: "App", settings: settings, at: clock.now) { _ in }
        guard let scope = try await database.scope(of: id) else { throw NoResult() }
        return scope
    }

    /// Owes mails and claims them.
    func claim(_ count: Int, of app: AppScope) async throws -> [ClaimedMessage] {
        for _ in 0..<count {
            let message = OutboxMessage(
                id: .make(at: clock.now, random: random), kind: VerificationMail.kind, lane: .interactive,
                route: OutboxMessage.mailRoute, createdAt: clock.now, expiresAt: clock.now + .days(1))
            try await database.batch(in: app) { $0.enqueue(message) }
        }
        let turns = [AppTurn(app: app.appID, floor: Instant(microseconds: 0))]
        return try await database.system { batch in
            batch.claim(.interactive, of: turns, rowsPerApp: count, leaseEnd: clock.now + .hours(1))
        }
    }

    /// Settles claimed mails as delivered by one attempt each; returns how many were settled.
    @discardableResult
    func settle(_ claimed: [ClaimedMessage]) async throws -> Int {
        let now = clock.now
        let attempt = Attempt(outcome: .delivered, code: 250, reply: "250 ok", startedAt: now, endedAt: now)
        return try await database.settle(
            claimed.map { Settlement(of: $0, .ended(.delivered, reason: nil), attempt: attempt, at: now) }
        ).settledCount
    }

    /// The first column of a statement's rows, which is text, as the superuser.
    func texts(_ statement: SQL) async throws -> [String] {
        let rows = try await superuser.batch([statement], on: .exclusive, deadline: .seconds(20))[0]
        return try rows.map { row throws(PostgresError) in try row.get(0, as: String.self) }
    }

    /// The partitions of a table, without the default one.
    func days(of table: String) async throws -> [String] {
        try await texts(
            """
            select c.relname::text from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
             where i.inhparent = \(table)::regclass and c.relname not like '%default' order by 1
            """)
    }

    /// How many rows of a table an app has, the system's own left out; of one partition or of all.
    func count(_ table: String, of app: AppScope, in partition: String? = nil) async throws -> Int {
        let within: SQL = partition.map { "and tableoid = \($0)::regclass" } ?? ""
        let texts = try await texts(
            "select count(*)::text from \(SQL.trusted(table)) where app_id = \(app.appID) \(within)")
        return texts.first.flatMap(Int.init) ?? -1
    }
}

extension PartitionKeeper {
    /// Runs the upkeep of several days, of which the last is a moment's.
    func keep(days: ClosedRange<Int64>, before now: Instant) async throws {
        for day in days { _ = try await run(at: now + .days(day)) }
    }
}
