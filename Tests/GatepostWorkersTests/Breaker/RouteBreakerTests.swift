import GatepostStore
import GatepostDelivery
import Postgres
import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Synchronization
import TestSupport
import Testing

/// What opens a route, and what its messages lose by it, with real receivers.
@Suite("Breaker", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct RouteBreakerTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("ada@example.com"))
    }

    /// How many of eight mails were attempted by a relay that answers like this.
    private func attempts(
        at stage: SMTPScript.Stage, _ behaviour: SMTPScript.Behaviour
    ) async throws -> (count: Int, open: Int) {
        let app = try await TestApp.make()
        try await app.oweMails(8)
        return try await MailSink.running(SMTPScript(at: stage, behaviour)) { sink in
            let worker = try app.worker(to: sink)
            try await worker.drain()
            let entries = try await app.ledger()
            #expect(entries.filter { $0.attemptCount == 0 }.allSatisfy { $0.state == "waiting" })
            #expect(entries.allSatisfy { $0.attemptCount <= 1 })
            return (entries.count { $0.attemptCount == 1 }, worker.breakerReport[.mail].open)
        }
    }

    @Test(
        arguments: [
            (.connect, .close), (.mail, .close), (.finalDot, .close), (.connect, .reply(421, "4.3.2 busy")),
            (.rcpt, .reply(421, "4.7.0 good-bye")), (.connect, .reply(554, "5.3.2 not in service")),
            (.ehlo, .reply(451, "4.3.0 not now")),
        ] as [(SMTPScript.Stage, SMTPScript.Behaviour)])
    func `five failures of the relay itself open its route, and the others wait with all of their tries`(
        stage: SMTPScript.Stage, behaviour: SMTPScript.Behaviour
    ) async throws {
        #expect(try await attempts(at: stage, behaviour) == (5, 1))
    }

    @Test(
        arguments: [
            (.rcpt, .reply(550, "5.1.1 no such mailbox")), (.rcpt, .reply(451, "4.7.1 greylisted")),
            (.finalDot, .reply(554, "5.7.1 spam")), (.data, .reply(452, "4.3.1 no space")),
        ] as [(SMTPScript.Stage, SMTPScript.Behaviour)])
    func `what is said of one mail opens nothing`(
        stage: SMTPScript.Stage, behaviour: SMTPScript.Behaviour
    ) async throws {
        #expect(try await attempts(at: stage, behaviour) == (8, 0))
    }

    @Test(arguments: [(500, 5), (503, 5), (429, 5), (404, 8), (400, 8), (301, 8)])
    func `of an endpoint's answers those about all requests open its route, and another endpoint is served`(
        status: Int, attempted: Int
    ) async throws {
        let app = try await TestApp.make()
        let transport = try TestApp.loopbackTransport()
        try await HTTPSink.running({ HTTPSink.answer($0.target == "/bad" ? status : 200) }) { sink in
            _ = try await app.addEndpoint(sink.url("/bad"))
            _ = try await app.addEndpoint(sink.url("/good"))
            for number in 1...8 {
                try await app.owe(.userCreated, email: try #require(EmailAddress("u\(number)@example.com")))
            }
            let worker = app.webhookWorker(transport)

            try await worker.drain()

            #expect(sink.requests.count { $0.target == "/bad" } == attempted)
            #expect(sink.requests.count { $0.target == "/good" } == 8)
            #expect(worker.breakerReport[.webhook].open == (attempted == 5 ? 1 : 0))
            #expect(worker.breakerReport[.mail].open == 0)
        }
        await transport.shutdown()
    }

    @Test func `a relay that is back is found by one probe, and what waited is delivered`() async throws {
        let app = try await TestApp.make()
        let log = LogLines()
        let isDown = Mutex(true)
        try await app.oweMails(30)
        let script = SMTPScript { $0.stage == .connect && isDown.withLock { $0 } ? .close : .proceed }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink, logger: log.logger)
            try await worker.drain()
            #expect(script.count(.connect) == 5)
            isDown.withLock { $0 = false }
            // The pause is over after 6 s at the latest; the tries of those that failed come by their own schedule.
            for _ in 0..<8 {
                app.clock.advance(by: .seconds(1))
                try await worker.drain()
            }

            #expect(try await app.ledger().allSatisfy { $0.state == "delivered" })
            let mails = await sink.mails()
            #expect(mails.count == 30 && Set(mails.flatMap(\.recipients)).count == 30)
            let report = worker.breakerReport[.mail]
            #expect(report.open == 0 && report.openings == 1 && report.probes == 1 && report.turnedAway >= 25)
            #expect(log.count(of: "a destination fails, its messages wait") == 1)
            #expect(log.count(of: "a destination works again") == 1)
        }
    }

    @Test func `a message that expires while its route is open ends as expired`() async throws {
        let app = try await TestApp.make()
        try await app.oweMails(8, lives: .seconds(3))
        try await MailSink.running(SMTPScript(at: .connect, .close)) { sink in
            let worker = try app.worker(to: sink)
            try await worker.drain()
            app.clock.advance(by: .seconds(3))
            try await worker.drain()

            let states = try await app.ledger().map(\.state)
            #expect(states.count { $0 == "exhausted" } == 5 && states.count { $0 == "expired" } == 3)
        }
    }

    @Test func `a mail whose purpose is gone does not use the probe up`() async throws {
        let app = try await TestApp.make()
        let isDown = Mutex(true)
        try await app.oweMails(6)
        let script = SMTPScript { $0.stage == .connect && isDown.withLock { $0 } ? .close : .proceed }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink)
            try await worker.drain()
            let waiting = try #require(try await app.ledger().first { $0.attemptCount == 0 })
            try await TestDatabase.current.withSuperuser { pool in
                let deactivating: SQL = """
                    update users set state = 'deactivated', deactivated_at = now()
                     where id = \(try #require(waiting.userID))
                    """
                _ = try await pool.batch([deactivating], deadline: .seconds(10))
            }
            isDown.withLock { $0 = false }
            app.clock.set(try #require(waiting.dueAt))

            try await worker.drain()

            #expect(try await app.history(of: waiting.id)?.entry.reason == "user_deactivated")
            app.clock.advance(by: .seconds(3))
            try await worker.drain()
            #expect(await sink.mails().count == 5)
            #expect(worker.breakerReport[.mail].open == 0)
        }
    }
}
