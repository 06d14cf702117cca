import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// What an app's audit trail keeps no longer is neither listed nor exported, whether or not a job has deleted it yet.
@Suite("Audit history", .ownDatabase)
struct AuditHistoryTests {
    @Test func `an event is listed for 400 days to the microsecond`() async throws {
        let app = try await plantedApp()
        let flow = flow(of: app)

        app.clock.advance(by: .days(400))
        #expect(try await flow.events(AuditFilter(), after: nil, limit: 10, in: app.scope).count == 1)
        app.clock.advance(by: .microseconds(1))
        #expect(try await flow.events(AuditFilter(), after: nil, limit: 10, in: app.scope).isEmpty)
        var old = AuditFilter()
        old.since = TestClock.start
        #expect(try await flow.events(old, after: nil, limit: 10, in: app.scope).isEmpty)
    }

    @Test(arguments: [(0, 1), (1, 0)])
    func `an export begins where the history of its request does`(afterwards: Int64, rows: Int64) async throws {
        let app = try await plantedApp()
        app.clock.advance(by: .days(400) + .microseconds(afterwards))
        let admin = AdminPrincipal(.apiKey(app.newID(), madeBy: nil), grants: [])

        let outcome = try await flow(of: app).begin(
            .ndjson, AuditFilter(), for: AdminRequest(admin, from: .none), in: app.scope)

        guard case .done(let id) = outcome else { return #expect(Bool(false), "\(outcome)") }
        let steps = AuditExportFlow(database: app.database, clock: app.clock, random: app.random, keys: app.keys)
        var record = try await record(id, app)
        for _ in 0..<10_000 where record.state == .running {
            let claimed = try await app.database.system { batch in
                batch.claim(
                    .bulk, of: [AppTurn(app: app.id, floor: Instant(microseconds: 0))], rowsPerApp: 1,
                    leaseEnd: app.clock.now + .seconds(90))
            }
            let message = try #require(claimed.first)
            // Transactions of other tests in the cluster count as writers, too.
            while case .waitsForWriters = try await steps.step(message, of: id, in: app.scope, hashingAtMost: .hours(1))
            {}
            record = try await self.record(id, app)
        }
        #expect(record.state == .finished && record.rowCount == rows)
    }

    private func plantedApp() async throws -> TestApp {
        let app = try await TestApp.make()
        let event = AuditEvent(.signInPassed, by: .user, id: app.newID(), at: app.clock.now, origin: .none)
        try await app.database.batch(in: app.scope) { $0.record(event) }
        return app
    }

    private func flow(of app: TestApp) -> AdminAuditFlow {
        AdminAuditFlow(database: app.database, clock: app.clock, random: app.random, keys: app.keys)
    }

    private func record(_ id: AuditExportID, _ app: TestApp) async throws -> AuditExportRecord {
        try #require(try await app.database.batch(in: app.scope) { $0.auditExport(id, at: app.clock.now) })
    }
}
