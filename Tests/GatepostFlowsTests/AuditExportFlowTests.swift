import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// The steps of an export, each taken by hand.
@Suite("Audit export flow", .ownDatabase)
struct AuditExportFlowTests {
    private struct NotBegun: Error {}

    /// An export that was just asked for, with so many events of its app before it.
    private struct Begun {
        let app: TestApp
        let flow: AuditExportFlow
        let id: AuditExportID

        init(eventCount: Int, longText: String = "") async throws {
            let app = try await TestApp.make()
            self.app = app
            flow = AuditExportFlow(database: app.database, clock: app.clock, random: app.random, keys: app.keys)
            let now = app.clock.now
            try await app.database.batch(in: app.scope) { batch in
                batch.add(
                    """
                    insert into audit_events (app_id, id, kind, actor_kind, reason, details, created_at)
                    select \(app.id), gen_random_uuid(), 'sign_in.passed', 'user', \(longText)::text, '{}', \(now)
                      from generate_series(1, \(eventCount)::int)
                    """)
            }
            app.clock.advance(by: .seconds(1))
            let admin = AdminPrincipal(.apiKey(app.newID(), madeBy: nil), grants: [])
            let audit = AdminAuditFlow(
                database: app.database, clock: app.clock, random: app.random, keys: app.keys)
            let outcome = try await audit.begin(
                .ndjson, AuditFilter(), for: AdminRequest(admin, from: .none), in: app.scope)
            guard case .done(let id) = outcome else { throw NotBegun() }
            self.id = id
        }

        /// Claims the chain's one message.
        func claim() async throws -> ClaimedMessage {
            let claimed = try await app.database.system { batch in
                batch.claim(
                    .bulk, of: [AppTurn(app: app.id, floor: Instant(microseconds: 0))], rowsPerApp: 10,
                    leaseEnd: app.clock.now + .seconds(90))
            }
            #expect(claimed.count == 1)
            return try #require(claimed.first)
        }

        func step(_ message: ClaimedMessage, hashingAtMost time: Duration = .hours(1)) async throws
            -> AuditExportFlow.Step
        {
            let step = try await flow.step(message, of: id, in: app.scope, hashingAtMost: time)
            guard case .waitsForWriters = step else { return step }
            // Transactions of other tests in the cluster count as writers, too.
            try await TestDatabase.current.waitForOlderTransactions()
            return try await flow.step(message, of: id, in: app.scope, hashingAtMost: time)
        }

        func record() async throws -> AuditExportRecord {
            try #require(try await app.database.batch(in: app.scope) { $0.auditExport(id, at: app.clock.now) })
        }
    }

    @Test func `a part is bounded by its rows and by its bytes`() async throws {
        let many = try await Begun(eventCount: AuditExportFlow.pageRowsMax + 1)
        _ = try await many.step(try await many.claim())
        #expect(try await many.record().rowCount == Int64(AuditExportFlow.pageRowsMax))

        let long = try await Begun(eventCount: 400, longText: String(repeating: "x", count: 10_000))
        _ = try await long.step(try await long.claim())
        let first = try await long.record()
        #expect(first.byteCount >= AuditExportFlow.partBytesMax)
        #expect(first.byteCount < AuditExportFlow.partBytesMax + 11_000 && first.rowCount < 400)
    }

    @Test func `a worker that was too slow writes nothing`() async throws {
        let begun = try await Begun(eventCount: 3)
        let slow = try await begun.claim()
        begun.app.clock.advance(by: .seconds(91))
        _ = try await begun.app.database.system { $0.promoteDue(since: nil, at: begun.app.clock.now) }
        let quick = try await begun.claim()
        _ = try await begun.step(quick)
        let before = try await begun.record()

        let step = try await begun.step(slow)

        guard case .settled = step else { return #expect(Bool(false), "\(step)") }
        let after = try await begun.record()
        #expect(after.partCount == before.partCount && after.rowCount == 3)
        // The chain has one message, not two.
        _ = try await begun.claim()
    }

    @Test func `a file that is too large to hash in one go is hashed step by step`() async throws {
        let begun = try await Begun(eventCount: 400, longText: String(repeating: "x", count: 10_000))
        var message = try await begun.claim()
        var putOffCount = 0
        for _ in 0..<100 where try await begun.record().state == .running {
            switch try await begun.step(message, hashingAtMost: .zero) {
            case .waitsToHash: putOffCount += 1
            case .settled: if try await begun.record().state == .running { message = try await begun.claim() }
            case .gone, .waitsForWriters: Issue.record("the chain has ended")
            }
        }
        let record = try await begun.record()
        #expect(record.state == .finished && record.partCount >= 4)
        #expect(putOffCount == Int(record.partCount) - 1)
        let whole = try await begun.app.database.batch(in: begun.app.scope) { batch in
            batch.read("select sha256(string_agg(bytes, '' order by number)) as hash from audit_export_parts") {
                try $0.first.map { try $0.get("hash", as: [UInt8].self) }
            }
        }
        #expect(record.fileHash == whole)
    }

    @Test func `an export whose part is missing fails, with an event and without a file`() async throws {
        let begun = try await Begun(eventCount: 3)
        _ = try await begun.step(try await begun.claim())
        let pool = try await TestDatabase.current.superuserPool()
        _ = try await pool.batch(["delete from audit_export_parts"], deadline: .seconds(20))
        await pool.shutdown()

        _ = try await begun.step(try await begun.claim())

        let record = try await begun.record()
        #expect(record.state == .failed && record.reason == "part_missing" && record.fileHash == nil)
        let events = try await begun.app.database.batch(in: begun.app.scope) { batch in
            batch.auditEvents(AuditFilter(kinds: ["audit_export.failed"]), after: nil, limit: 10)
        }
        #expect(events.map(\.reason) == ["part_missing"])
    }

    @Test func `the next page is read by its index, as the app's role`() async throws {
        let begun = try await Begun(eventCount: 20_000)
        let pool = try await TestDatabase.current.superuserPool()
        _ = try await pool.batch([.trusted("analyze audit_events")], on: .exclusive, deadline: .seconds(20))
        let plan = try await pool.transaction(deadline: .seconds(20)) { transaction in
            try await transaction.batch([
                """
                select set_config('role', 'gatepost_app', true),
                       set_config('gatepost.app_id', \(begun.app.id)::uuid::text, true)
                """,
                """
                explain select id, transaction_id from audit_events
                 where app_id = \(begun.app.id) and (transaction_id, id) > ('3'::xid8, \(begun.app.id)::uuid)
                   and transaction_id < least('1000000'::xid8, pg_snapshot_xmin(pg_current_snapshot()))
                 order by transaction_id, id limit 2500
                """,
            ])[1].map { row throws(PostgresError) in try row.get(0, as: String.self) }.joined(separator: "\n")
        }
        await pool.shutdown()
        #expect(plan.contains("audit_events_transaction") && !plan.contains("Sort") && plan.contains("Index Cond"))
        #expect(plan.firstMatch(of: /Index Cond: .*transaction_id/) != nil, "\(plan)")
    }
}
