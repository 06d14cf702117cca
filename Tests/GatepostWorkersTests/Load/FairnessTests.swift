import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Synchronization
import TestSupport
import Testing

/// One app's flood delays nobody else, counted in claims.
@Suite("Fairness", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct FairnessTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("ada@example.com"))
    }

    @Test func `beside an app with twenty thousand due messages another app's mail is in the next claim`() async throws
    {
        let clock = TestClock()
        let database = try await TestDatabase.current.database
        let flood = try await TestApp.make(in: database, clock: clock)
        let other = try await TestApp.make(in: database, clock: clock)
        try await flood.oweMails(20_000)
        try await MailSink.running { sink in
            let worker = try flood.worker(to: sink)
            for _ in 0..<3 {
                #expect(try await worker.claim().count == worker.settings.deliverySlots)
                clock.advance(by: .milliseconds(100))
            }
            _ = try await other.signUp(ada)

            let claimed = try await worker.claim()

            #expect(claimed.count { $0.app == other.id } == 1)
            #expect(claimed.count { $0.app == flood.id } >= worker.settings.deliverySlots / 2)
        }
    }

    @Test func `of many apps with many messages each gets as much as the others`() async throws {
        let clock = TestClock()
        let database = try await TestDatabase.current.database
        var apps: [TestApp] = []
        for _ in 0..<5 {
            let app = try await TestApp.make(in: database, clock: clock)
            try await app.oweMails(100)
            apps.append(app)
        }
        try await MailSink.running { sink in
            let worker = try apps[0].worker(to: sink)
            var counts: [AppID: Int] = [:]
            for _ in 0..<10 {
                for message in try await worker.claim() { counts[message.app, default: 0] += 1 }
            }

            #expect(counts.count == 5)
            #expect((counts.values.max() ?? 0) - (counts.values.min() ?? 0) <= worker.settings.deliverySlots / 5)
        }
    }

    @Test func `a flood of bulk mail holds no slot that is kept for a sign-in mail`() async throws {
        let app = try await TestApp.make()
        try await app.oweMails(500, lane: .bulk)
        let isStuck = Mutex(true)
        let script = SMTPScript { moment in
            let isBulk = moment.recipients.last?.hasSuffix("@crowd.example") == true
            return moment.stage == .finalDot && isBulk && isStuck.withLock({ $0 }) ? .stall : .proceed
        }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink, settings: WorkerSettings(deliverySlots: 4))
            try await withService(worker) { _ in
                try await sink.script.reached(.finalDot)
                _ = try await app.signUp(ada)
                let mail = try await sink.server.waitForMail { $0.recipients == ["ada@example.com"] }
                #expect(mail.order == 1, "every mail before it stands still")
                isStuck.withLock { $0 = false }
                sink.script.release()
            }
        }
    }
}
