@testable import GatepostOutbox
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A page of the ledger reads about as many rows as it shows, however many the app has.
@Suite("Ledger: plans", .ownDatabase, .showsSeed)
struct LedgerPlanTests {
    static let deliveryCount = 60_000
    static let owedCount = 20_000
    static let limit = 51

    @Test func `each list reads its index as far as the page goes, as the app's role`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let user: UserID = app.newID()
        try await seed(app, user)
        let start = TestClock.start
        let address = try #require(EmailAddress("ada@example.com"))
        let end = PageCursor(at: start + .seconds(30), id: app.newID(UserID.self).uuid)
        var (all, failed, within, ofUser, ofAddress) = (
            LedgerFilter(), LedgerFilter(state: .rejected), LedgerFilter(), LedgerFilter(), LedgerFilter()
        )
        failed.since = start
        (within.since, within.until) = (start + .seconds(10), start + .seconds(20))
        ofUser.user = user
        ofAddress.address = LedgerAddress(address, in: app.id, keys: app.keys)
        let lists: [(filter: LedgerFilter, cursor: PageCursor?, indexes: Set<String>)] = [
            (all, nil, ["outbox_time", "deliveries_default_app_id_created_at_id_idx"]),
            (all, end, ["outbox_time", "deliveries_default_app_id_created_at_id_idx"]),
            (within, nil, ["outbox_time", "deliveries_default_app_id_created_at_id_idx"]),
            (LedgerFilter(state: .delivered), nil, ["deliveries_default_app_id_created_at_id_idx"]),
            (LedgerFilter(state: .owed), nil, ["outbox_time"]),
            (failed, nil, ["deliveries_default_app_id_created_at_id_idx1"]),
            (ofUser, nil, ["outbox_user", "deliveries_default_app_id_user_id_ended_at_idx"]),
            (ofAddress, nil, ["outbox_user", "deliveries_default_app_id_recipient_hash_ended_at_idx"]),
        ]
        for list in lists {
            let statement = LedgerStatements(app.scope, at: TestClock.start).list(
                list.filter, after: list.cursor, limit: Self.limit)
            try await expect(statement, reads: list.indexes, as: app)
        }
        let day = LedgerStatements(app.scope, at: TestClock.start).failed(failed, ends: ["rejected"], limit: Self.limit)
        try await expect(day, reads: ["deliveries_default_app_id_created_at_id_idx1"], as: app)
    }

    @Test func `of a ledger of many days a page reads no more of each day than it shows, as the app's role`()
        async throws
    {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let user: UserID = app.newID()
        let keeper = PartitionKeeper(database: queue.database)
        for day: Int64 in [-32, -24, -16, -8, 0] { _ = try await keeper.run(at: TestClock.start + .days(day)) }
        // All of a minute; then a twentieth each to the twenty days before.
        try await seed(app, user)
        let superuser = try await TestDatabase.current.superuserPool()
        try await superuser.batch(
            [
                """
                update deliveries
                   set created_at = created_at - extract(milliseconds from ended_at)::int % 20 * interval '1 day',
                       ended_at = ended_at - extract(milliseconds from ended_at)::int % 20 * interval '1 day'
                """, "analyze deliveries",
            ], on: .exclusive, deadline: .seconds(60))
        await superuser.shutdown()
        var (failed, ofUser) = (LedgerFilter(state: .rejected), LedgerFilter())
        failed.since = TestClock.start - .days(10)
        ofUser.user = user
        let statements = LedgerStatements(app.scope, at: TestClock.start)
        for filter in [LedgerFilter(), failed, ofUser, LedgerFilter(state: .delivered)] {
            let plan = try await plan(of: statements.list(filter, after: nil, limit: Self.limit), as: app)
            #expect(plan.contains("deliveries_20260302"))
            let counts = plan.matches(of: /actual rows=(\d+)/).compactMap { Int($0.1) }
            #expect(counts.allSatisfy { $0 <= 2 * Self.limit }, "\(plan)")
            // The days before the history are not even looked at.
            #expect(!plan.contains("deliveries_20260130"))
        }
    }

    private func plan(of statement: SQL, as app: TestApp) async throws -> String {
        try await app.database.batch(in: app.scope) { batch in
            batch.read("explain (analyze, costs off, timing off, summary off) \(statement)") { rows in
                try rows.map { try $0.get(0, as: String.self) }.joined(separator: "\n")
            }
        }
    }

    private func expect(_ statement: SQL, reads indexes: Set<String>, as app: TestApp) async throws {
        let plan = try await plan(of: statement, as: app)
        let used = Set(plan.matches(of: /(?:using|on) (\w+_idx1?|outbox_time|outbox_user)\b/).map { String($0.1) })
        #expect(indexes.isSubset(of: used), "\(plan)")
        #expect(!plan.contains("Seq Scan on outbox") && !plan.contains("Seq Scan on deliveries"), "\(plan)")
        let counts = plan.matches(of: /actual rows=(\d+)/).compactMap { Int($0.1) }
        #expect(counts.allSatisfy { $0 <= 2 * Self.limit }, "\(plan)")
        let filtered = plan.matches(of: /Rows Removed by Filter: (\d+)/).compactMap { Int($0.1) }
        #expect(filtered.allSatisfy { $0 <= 2 * Self.limit }, "\(plan)")
    }

    /// One row a millisecond; one delivery in a thousand was rejected, and one in five thousand is the user's.
    private func seed(_ app: TestApp, _ user: UserID) async throws {
        let superuser = try await TestDatabase.current.superuserPool()
        let address = try #require(EmailAddress("ada@example.com"))
        try await app.database.batch(in: app.scope) { $0.insertUser(user, email: address, at: TestClock.start) }
        let (start, hash) = (TestClock.start, app.keys.recipientHash(address, in: app.id))
        try await superuser.batch(
            [
                """
                insert into deliveries (app_id, id, kind, lane, route, user_id, recipient_hash, outcome, attempt_count,
                                        payload, created_at, ended_at)
                select \(app.id), gen_random_uuid(), 'mail.verification', 'interactive', 'mail',
                       case when n % 5000 = 0 then \(user)::uuid else gen_random_uuid() end,
                       case when n % 5000 = 0 then \(hash)::bytea else sha256(n::text::bytea) end,
                       case when n % 1000 = 0 then 'rejected' else 'delivered' end, 1, '{}',
                       \(start)::timestamptz + n * interval '1 millisecond',
                       \(start)::timestamptz + n * interval '1 millisecond'
                  from generate_series(1, \(Self.deliveryCount)) as n
                """,
                """
                insert into outbox (app_id, id, kind, lane, route, user_id, recipient_hash, ready, due_at, expires_at,
                                    payload, created_at)
                select \(app.id), gen_random_uuid(), 'mail.verification', 'interactive', 'mail',
                       case when n % 5000 = 0 then \(user)::uuid else gen_random_uuid() end, \(hash)::bytea, true,
                       \(start)::timestamptz, \(start)::timestamptz + interval '1 day', '{}',
                       \(start)::timestamptz + n * interval '1 millisecond'
                  from generate_series(1, \(Self.owedCount)) as n
                """,
                "analyze outbox, deliveries, users",
            ], on: .exclusive, deadline: .seconds(60))
        await superuser.shutdown()
    }
}
