@testable import GatepostOutbox
import GatepostModel
@testable import GatepostStore
import Postgres
import TestSupport
import Testing

/// The queue's statements keep the index that each is meant to use.
///
/// A queue under a held snapshot (a dump, a long report) is where the planner goes wrong: tens of thousands of dead
/// index entries in a table that its statistics call empty. Chosen freely, plans went from 1 to 100 ms in a minute.
@Suite("Outbox: plans", .ownDatabase, .showsSeed)
struct OutboxPlanTests {
    static let messageCount = 50_000

    @Test func `each statement uses its one index while a snapshot is held`() async throws {
        let queue = try await Queue.make()
        let superuser = try await TestDatabase.current.superuserPool()
        let app = try await queue.app()

        try await superuser.transaction(
            begin: ["set transaction isolation level repeatable read", "select 1"], deadline: .seconds(120)
        ) { _ in
            try await owe(Self.messageCount, by: app, through: superuser)
            try await settleAll(of: app, in: queue)
            try await superuser.batch(["analyze outbox"], on: .exclusive, deadline: .seconds(60))
            let message = queue.message()
            try await queue.database.batch(in: app.scope) { $0.enqueue(message) }
            let claimed = try await queue.claim(of: [app])
            try await expectPlans(of: claimed, by: app, in: queue)
            try await expectPlansOfApp(of: claimed, by: app, in: queue)
        }
    }

    private func expectPlans(of claimed: [ClaimedMessage], by app: TestApp, in queue: Queue) async throws {
        let now = queue.clock.now
        let turns = [AppTurn(app: app.id, floor: now - .seconds(2))]
        let retries = claimed.map {
            Settlement(of: $0, .waits(until: now), attempt: queue.attempt(.transient), at: now)
        }
        let plans: [(SQL, index: String)] = [
            (ClaimStatements.promote(since: now - .seconds(5), at: now), "outbox_waiting"),
            (ClaimStatements.promote(since: nil, at: now), "outbox_waiting"),
            (ClaimStatements.discover(.interactive, since: now - .seconds(2), at: now), "outbox_new"),
            (ClaimStatements.lookForApps(.interactive), "outbox_turn"),
            (ClaimStatements.claim(.interactive, of: turns, rowsPerApp: 10, leaseEnd: now), "outbox_turn"),
            (ClaimStatements.standing(claimed.map(ClaimKey.init)), "outbox_pkey"),
            (SettleStatements.end(claimed.map(queue.delivered)), "outbox_pkey"),
            (SettleStatements.putBack(retries), "outbox_pkey"),
            (SettleStatements.explainMissing(claimed.map(queue.delivered)), "outbox_pkey"),
            (SettleStatements.explainMissing(claimed.map(queue.delivered)), "deliveries_default_pkey"),
        ]
        for (statement, index) in plans {
            let plans = [
                try await customPlan(of: statement, in: queue), try await genericPlan(of: statement, in: queue),
            ]
            for plan in plans {
                let indexes = plan.matches(of: /using (outbox_\w+)/).map { String($0.1) }
                #expect(plan.contains("using \(index)"), "\(plan)")
                #expect(Set(indexes).count == 1, "\(plan)")
                #expect(!plan.contains("Seq Scan"), "\(plan)")
                // What was found by key is taken by its place: a join by key became a scan of the whole primary key.
                #expect(plan.contains("Tid Scan") == statement.text.contains("ctid"), "\(plan)")
            }
        }
    }

    /// What an app's own transactions do with the queue, as the app's role.
    private func expectPlansOfApp(of claimed: [ClaimedMessage], by app: TestApp, in queue: Queue) async throws {
        let (now, id, user) = (queue.clock.now, try #require(claimed.first).id, app.newID(UserID.self))
        var batch = AppBatch(scope: app.scope)
        batch.enqueue(queue.message(uniqueKey: "key"))
        _ = batch.holdMessage(id, at: now)
        _ = batch.releaseMessage(id, at: now)
        _ = batch.cancelMessage(id, reason: "test", at: now)
        batch.cancelMails(to: user, reason: "test", at: now)
        batch.add(SettleStatements.end(claimed.prefix(1).map(queue.delivered)))
        let indexes = [
            "outbox_pending_key", "outbox_pkey", "outbox_pkey", "outbox_pkey", "outbox_user", "outbox_pkey",
        ]
        for (statement, index) in zip(batch.statements, indexes) {
            let plan = try await app.database.batch(in: app.scope) { batch in
                batch.read("explain (costs off) \(statement)", Self.text)
            }
            // These find one row by its key; a bitmap of one row is as good.
            let ways = ["using \(index)", "Bitmap Index Scan on \(index)", "Conflict Arbiter Indexes: \(index)"]
            #expect(ways.contains { plan.contains($0) }, "\(plan)")
            #expect(!plan.contains("Seq Scan"), "\(plan)")
        }
    }

    /// The plan for these very values.
    private func customPlan(of statement: SQL, in queue: Queue) async throws -> String {
        try await queue.database.system { batch in batch.read("explain (costs off) \(statement)", Self.text) }
    }

    /// The plan for any values, which a prepared statement gets after a few executions.
    private func genericPlan(of statement: SQL, in queue: Queue) async throws -> String {
        try await queue.database.systemTransaction { transaction in
            let types = try await transaction.query(
                """
                select string_agg(case oid when 0 then 'unknown' else format_type(oid::oid, null) end, ', ' order by n)
                       as names
                  from unnest(\(statement.parameters.map { Int64($0.type.oid) })) with ordinality as t (oid, n)
                """)
            let names = try types.first?.get("names", as: String.self) ?? ""
            let nulls = statement.parameters.map { _ in "null" }.joined(separator: ", ")
            _ = try await transaction.query("select set_config('plan_cache_mode', 'force_generic_plan', true)")
            _ = try await transaction.query(.trusted("prepare outbox_statement (\(names)) as \(statement.text)"))
            let plan = try Self.text(
                try await transaction.query(.trusted("explain (costs off) execute outbox_statement (\(nulls))")))
            _ = try await transaction.query("deallocate outbox_statement")
            return plan
        }
    }

    private static func text(_ rows: PostgresResult) throws -> String {
        try rows.map { try $0.get(0, as: String.self) }.joined(separator: "\n")
    }

    private func owe(_ count: Int, by app: TestApp, through pool: PostgresPool) async throws {
        let start = TestClock.start
        try await pool.batch(
            [
                """
                insert into outbox (app_id, id, kind, lane, route, ready, due_at, expires_at, payload, created_at)
                select \(app.id), gen_random_uuid(), 'mail.verification', 'interactive', 'mail', true,
                       \(start)::timestamptz + n * interval '1 millisecond', \(start)::timestamptz + interval '1 day',
                       '{}', \(start)
                  from generate_series(1, \(count)) as n
                """
            ], on: .exclusive, deadline: .seconds(60))
    }

    private func settleAll(of app: TestApp, in queue: Queue) async throws {
        var settledCount = 0
        while settledCount < Self.messageCount {
            let claimed = try await queue.claim(of: [app], rowsPerApp: 1000)
            try #require(!claimed.isEmpty)
            for start in stride(from: 0, to: claimed.count, by: OutboxLimits.settledRowsMax) {
                let batch = claimed[start..<min(start + OutboxLimits.settledRowsMax, claimed.count)]
                settledCount += try await queue.database.settle(batch.map(queue.delivered)).settledCount
            }
        }
    }
}
