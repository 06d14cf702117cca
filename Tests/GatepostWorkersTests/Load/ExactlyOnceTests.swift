import GatepostStore
import GatepostOutbox
import ServiceLifecycle
import Postgres
import GatepostDev
import GatepostModel
import GatepostWorkers
import Synchronization
import TestSupport
import Testing

/// Without a fault nothing is sent twice, however many workers share the work.
@Suite("Exactly once without a fault", .ownDatabase, .showsSeed, .timeLimit(.minutes(10)))
struct ExactlyOnceTests {
    static let messageCount = 10_000
    /// What a worker is stopped in the middle of.
    static let stoppedCount = 800

    @Test func `ten thousand messages among four workers are each received once`() async throws {
        let app = try await TestApp.make()
        try await app.oweMails(Self.messageCount)
        try await MailSink.running { sink in
            let worker = { try app.worker(to: sink) }
            try await withService(try worker(), try worker(), try worker(), try worker()) { _ in
                _ = try await sink.server.waitForMails(count: Self.messageCount, within: .seconds(500))
            }

            let mails = await sink.mails()
            // The order counts every mail that ever came, also one that the sink has forgotten.
            #expect(mails.last?.order == Self.messageCount)
            #expect(Set(mails.flatMap(\.recipients)).count == Self.messageCount)
            #expect(mails.allSatisfy { $0.recipients.count == 1 })
        }

        #expect(try await app.number("select count(*) from outbox") == 0)
        let ends = try await app.number("select count(*) from deliveries where outcome = 'delivered'")
        #expect(ends == Self.messageCount)
        #expect(try await app.number("select count(*) from deliveries") == Self.messageCount)
        let attempts = try await app.number("select count(*) from delivery_attempts where outcome = 'delivered'")
        #expect(attempts == Self.messageCount)
        #expect(try await app.number("select max(claim_number) from delivery_attempts") == 1)
    }

    @Test func `a worker that stops under load gives the rest back, no try is lost and nothing is sent twice`()
        async throws
    {
        let app = try await TestApp.make()
        try await app.oweMails(Self.stoppedCount)
        let isSlow = Mutex(true)
        let script = SMTPScript {
            $0.stage == .finalDot && isSlow.withLock { $0 } ? .delay(.milliseconds(50)) : .proceed
        }
        try await MailSink.running(script) { sink in
            try await withService(try app.worker(to: sink)) { group in
                _ = try await sink.server.waitForMails(count: 40, within: .seconds(120))
                await group.triggerGracefulShutdown()
            }

            let sentCount = await sink.mails().count
            let delivered = try await app.number("select count(*) from deliveries where outcome = 'delivered'")
            #expect(sentCount >= 40 && sentCount < Self.stoppedCount)
            #expect(delivered == sentCount, "what was sent is settled")
            let givenBack = try await app.number(
                "select count(*) from outbox where ready and attempt_count = 0 and due_at = \(app.clock.now)")
            #expect(
                givenBack == Self.stoppedCount - sentCount, "what was not sent is due at once, with all of its tries")

            isSlow.withLock { $0 = false }
            try await withService(try app.worker(to: sink)) { _ in
                _ = try await sink.server.waitForMails(count: Self.stoppedCount, within: .seconds(120))
            }
            let mails = await sink.mails()
            #expect(mails.count == Self.stoppedCount)
            #expect(Set(mails.flatMap(\.recipients)).count == Self.stoppedCount)
        }
    }

    @Test func `cancels beside running workers leave each message one end, and what was sent is on record`()
        async throws
    {
        let app = try await TestApp.make()
        try await app.oweMails(60)
        let ids = try await app.ledger().map(\.id)
        try await MailSink.running { sink in
            async let draining = race(2) { try await app.worker(to: sink).drain() }
            var cancelled = 0
            for id in ids {
                let isCancelled = try await app.database.batch(in: app.scope) {
                    $0.cancelMessage(id, reason: "test", at: app.clock.now)
                }
                cancelled += isCancelled ? 1 : 0
            }
            _ = try await draining

            let entries = try await app.ledger()
            #expect(entries.count == 60 && Set(entries.map(\.id)).count == 60)
            #expect(entries.count { $0.state == "cancelled" } == cancelled)
            #expect(entries.count { $0.state == "delivered" } == 60 - cancelled)
            let attempts = try await app.number("select count(*) from delivery_attempts")
            #expect(await sink.mails().count == attempts)
        }
    }
}
