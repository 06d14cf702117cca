import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Outbox: settle", .ownDatabase, .showsSeed)
struct OutboxSettleTests {
    @Test func `a batch of mixed fates settles each message by its own`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(4, by: app)
        let claimed = try await queue.claim(of: [app])
        let (now, later) = (queue.clock.now, queue.clock.now + .minutes(1))

        let report = try await queue.database.settle([
            queue.delivered(claimed[0]),
            Settlement(
                of: claimed[1], .waits(until: later),
                attempt: queue.attempt(.transient, code: 451, reply: "451 try again"), at: now),
            Settlement(of: claimed[2], .released, at: now),
            Settlement(of: claimed[3], .ended(.obsolete, reason: "flow_passed"), at: now),
        ])

        #expect(report.settledCount == 4)
        let rows = try await app.ledger().reduce(into: [:]) { $0[$1.id] = $1 }
        #expect(rows[claimed[0].id]?.state == "delivered")
        #expect(rows[claimed[0].id]?.lastReply == "250 ok")
        #expect(rows[claimed[0].id]?.attemptCount == 1)
        #expect(rows[claimed[1].id]?.state == "waiting")
        #expect(rows[claimed[1].id]?.dueAt == later)
        #expect(rows[claimed[1].id]?.attemptCount == 1)
        #expect(rows[claimed[1].id]?.lastCode == 451)
        #expect(rows[claimed[2].id]?.state == "owed")
        #expect(rows[claimed[2].id]?.dueAt == now)
        #expect(rows[claimed[2].id]?.attemptCount == 0)
        #expect(rows[claimed[3].id]?.state == "obsolete")
        #expect(rows[claimed[3].id]?.reason == "flow_passed")
        #expect(rows[claimed[3].id]?.lastOutcome == nil)
    }

    @Test func `a worker that was too slow settles nothing`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let slow = try #require(try await queue.claim(of: [app]).first)
        queue.clock.set(slow.leaseEnd)
        _ = try await queue.promote()
        let quick = try #require(try await queue.claim(of: [app]).first)

        let slowReport = try await queue.database.settle([queue.delivered(slow)])
        let quickReport = try await queue.database.settle([queue.delivered(quick)])

        #expect(slowReport.settledCount == 0)
        #expect(slowReport.lostCount == 1)
        #expect(quickReport.settledCount == 1)
        let history = try #require(try await app.history(of: quick.id))
        #expect(history.attempts.map(\.claimNumber) == [2])
    }

    @Test func `a result that comes after the lease, before anybody else's claim, still counts`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let message = try #require(try await queue.claim(of: [app]).first)
        queue.clock.set(message.leaseEnd)
        _ = try await queue.promote()

        let report = try await queue.database.settle([queue.delivered(message)])

        #expect(report.settledCount == 1)
        #expect(try await queue.claim(of: [app]).isEmpty)
    }

    @Test func `a settlement whose answer got lost is not applied twice`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(2, by: app)
        let claimed = try await queue.claim(of: [app])
        let settlements = [
            Settlement(
                of: claimed[0], .waits(until: queue.clock.now + .minutes(1)), attempt: queue.attempt(.transient),
                at: queue.clock.now),
            queue.delivered(claimed[1]),
        ]

        _ = try await queue.database.settle(settlements)
        let again = try await queue.database.settle(settlements)

        #expect(again.settledCount == 0)
        #expect(again.lostCount == 2)
        #expect(again.unsettled.isEmpty)
        for message in claimed {
            let history = try #require(try await app.history(of: message.id))
            #expect(history.attempts.count == 1)
            #expect(history.entry.attemptCount == 1)
        }
    }

    @Test func `a message that is cancelled while it is sent shows both`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let message = try #require(try await queue.claim(of: [app]).first)
        let isCancelled = try await queue.database.batch(in: app.scope) {
            $0.cancelMessage(message.id, reason: "operator", at: queue.clock.now)
        }
        queue.clock.advance(by: .seconds(1))

        let report = try await queue.database.settle([queue.delivered(message)])
        let again = try await queue.database.settle([queue.delivered(message)])

        #expect(isCancelled)
        #expect(report.cancelledCount == 1)
        #expect(again.cancelledCount == 1)
        let history = try #require(try await app.history(of: message.id))
        #expect(history.entry.state == "cancelled")
        #expect(history.entry.reason == "operator")
        #expect(history.entry.lastOutcome == "delivered")
        #expect(history.attempts.count == 1)
    }

    @Test func `a row that was held meanwhile is settled all the same`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let message = try #require(try await queue.claim(of: [app]).first)
        try await queue.database.batch(in: app.scope) {
            $0.add("update outbox set held_at = \(queue.clock.now) where app_id = \(app.id)")
        }

        #expect(try await queue.database.settle([queue.delivered(message)]).settledCount == 1)
        #expect(try await app.ledger().map(\.state) == ["delivered"])
    }

    @Test func `a settle on a day without a partition ends in the default one`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let claimed = try await queue.claim(of: [app])
        queue.clock.advance(by: .days(400))

        let report = try await queue.database.settle(claimed.map(queue.delivered))

        let counts = try await TestDatabase.current.superuserPool().batch(
            [
                "select count(*) as count from deliveries_default where app_id = \(app.id)",
                "select count(*) as count from delivery_attempts_default where app_id = \(app.id)",
            ], deadline: .seconds(10))
        #expect(report.settledCount == 1)
        #expect(try counts.map { try $0.first?.get("count", as: Int.self) } == [1, 1])
    }

    @Test func `a handler that only writes Postgres settles in its own transaction`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let stale = try #require(try await queue.claim(of: [app]).first)
        queue.clock.set(stale.leaseEnd)
        _ = try await queue.promote()
        let current = try #require(try await queue.claim(of: [app]).first)

        func settle(_ message: ClaimedMessage) async throws -> Bool {
            try await queue.database.transaction(in: app.scope) {
                try await $0.settleLocally(message, at: queue.clock.now)
            }
        }
        #expect(try await !settle(stale))
        #expect(try await settle(current))
        #expect(try await !settle(current))
        #expect(try await app.ledger().map(\.state) == ["delivered"])
        #expect(try await app.ledger().map(\.attemptCount) == [0])
    }

    @Test func `racing settlements of one claim end the message once`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let message = try #require(try await queue.claim(of: [app]).first)
        let settlement = queue.delivered(message)

        let reports = try await race(8) { try await queue.database.settle([settlement]) }

        #expect(reports.reduce(0) { $0 + $1.settledCount } == 1)
        #expect(try await app.ledger().count == 1)
    }
}
