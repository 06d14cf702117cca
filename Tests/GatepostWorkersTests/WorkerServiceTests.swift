import ServiceLifecycle
import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import TestSupport
import Testing

/// The worker as a service: its loop, its wake, its shutdown.
@Suite("Worker service", .ownDatabase, .showsSeed)
struct WorkerServiceTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("ada@example.com"))
    }

    @Test func `what is owed while the worker runs is delivered, and settled before it stops`() async throws {
        let app = try await TestApp.make()
        let signal = OutboxSignal()
        try await MailSink.running { sink in
            try await withService(try app.worker(to: sink, signal: signal)) { _ in
                _ = try await app.signUp(ada)
                signal.raise()
                _ = try await sink.server.waitForMails(count: 1)
            }

            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }

    @Test func `what was owed long before the worker started is found`() async throws {
        let app = try await TestApp.make()
        _ = try await app.signUp(ada)
        app.clock.advance(by: .hours(3))
        try await MailSink.running { sink in
            try await withService(try app.worker(to: sink)) { _ in
                _ = try await sink.server.waitForMails(count: 1)
            }

            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }

    @Test func `a shutdown waits for the delivery that is in flight`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running(SMTPScript(at: .finalDot, .stall)) { sink in
            _ = try await app.signUp(ada)
            try await withService(try app.worker(to: sink)) { group in
                try await sink.script.reached(.finalDot)
                await group.triggerGracefulShutdown()
                sink.script.release()
            }

            #expect(await sink.mails().count == 1)
            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }

    @Test func `a delivery that does not end within the grace is given back`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running(SMTPScript(at: .data, .stall)) { sink in
            _ = try await app.signUp(ada)
            let settings = WorkerSettings(shutdownGrace: .milliseconds(50))
            try await withService(try app.worker(to: sink, settings: settings)) { group in
                try await sink.script.reached(.data)
                await group.triggerGracefulShutdown()
            }

            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "owed")
            #expect(entry.dueAt == app.clock.now)
            #expect(entry.attemptCount == 0)
            sink.script.release()
        }
    }

    @Test func `a worker outlives Postgres, says so once, and goes on`() async throws {
        let test = try await TestDatabase.current
        let app = try await TestApp.make(in: test.impatientDatabase)
        let log = LogLines()
        try await MailSink.running { sink in
            try await withService(try app.worker(to: sink, logger: log.logger)) { _ in
                try await test.whileDown { try await log.wait(for: "cannot claim") }
                try await log.wait(for: "claiming again")
                _ = try await app.signUp(ada)
                _ = try await sink.server.waitForMails(count: 1)
            }

            #expect(log.count(of: "cannot claim") == 1)
            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }

    @Test func `a flood is delivered whole by two workers, each mail once`() async throws {
        let app = try await TestApp.make()
        for number in 0..<150 {
            _ = try await app.signUp(try #require(EmailAddress("user\(number)@example.com")))
        }
        try await MailSink.running { sink in
            try await withService(try app.worker(to: sink)) { _ in
                try await withService(try app.worker(to: sink)) { _ in
                    _ = try await sink.server.waitForMails(count: 150)
                }
            }

            #expect(await sink.mails().count == 150)
            #expect(try await app.ledger().allSatisfy { $0.state == "delivered" })
        }
    }
}
