import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// From a sign-up to the mail in a real SMTP server.
@Suite("Mail delivery", .ownDatabase, .showsSeed)
struct MailDeliveryTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("Ada@example.com"))
    }

    @Test func `the mail that arrives carries the link and the code of its flow`() async throws {
        let app = try await TestApp.make(named: "Wool & Yarn")
        try await MailSink.running { sink in
            let signUp = try await app.signUp(ada)
            app.clock.advance(by: .seconds(3))

            let claimed = try await app.worker(to: sink).drain()

            let mail = try #require(await sink.mails().first)
            let text = mail.text.replacing("=\r\n", with: "")
            #expect(claimed == 1)
            #expect(await sink.mails().count == 1)
            #expect(mail.recipients == ["Ada@example.com"])
            #expect(mail.envelopeFrom == "no-reply@gatepost.example")
            let link = "\(TestApp.baseURL)/apps/\(app.id)/links/\(signUp.secrets.linkToken.secret.revealed)"
            #expect(text.contains(link))
            #expect(text.contains(signUp.secrets.code.revealed))
            let entry = try #require(try await app.ledger().first)
            #expect(mail.header("Message-ID") == "<\(entry.id)@gatepost.example>")
            #expect(mail.header("Date") == "Mon, 2 Mar 2026 09:00:00 +0000")
            #expect(entry.state == "delivered")
            #expect(entry.attemptCount == 1)
            #expect(entry.lastCode == 250)
            try await app.verify(signUp)
        }
    }

    @Test func `the owner of an address that has an account gets a mail without a link`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            try await app.verify(try await app.signUp(ada))
            app.clock.advance(by: .seconds(1))
            _ = try await app.signUp(ada)
            try await worker.drain()

            let mail = try #require(await sink.mails().last)
            #expect(mail.header("Subject") == "You already have an account with Test app")
            #expect(!mail.text.contains("/links/"))
            #expect(try await app.ledger().map(\.state) == ["delivered", "obsolete"])
        }
    }

    @Test func `a mail whose answer was lost is sent again, byte for byte`() async throws {
        let app = try await TestApp.make()
        let script = SMTPScript { moment in
            moment.stage == .finalDot && moment.connection == 1 ? .closeAfterAccepting : .proceed
        }
        try await MailSink.running(script) { sink in
            _ = try await app.signUp(ada)
            let worker = try app.worker(to: sink)

            try await worker.drain()
            let waiting = try #require(try await app.ledger().first)
            app.clock.set(try #require(waiting.dueAt))
            try await worker.drain()

            let mails = await sink.mails()
            #expect(mails.count == 2)
            #expect(mails.first?.bytes == mails.last?.bytes)
            #expect(waiting.state == "waiting")
            let history = try #require(try await app.history(of: waiting.id))
            #expect(history.entry.state == "delivered")
            #expect(history.attempts.map(\.outcome) == [.indeterminate, .delivered])
        }
    }

    @Test func `a worker that dies before it settles costs one more, equal mail`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running { sink in
            _ = try await app.signUp(ada)
            let (dying, heir) = (try app.worker(to: sink), try app.worker(to: sink))
            let message = try #require(try await dying.claim().first)
            let unsettled = try #require(await dying.deliver(message))

            try await heir.drain()
            #expect(await sink.mails().count == 1)
            app.clock.set(message.leaseEnd)
            try await heir.drain()
            // The dead worker comes back to life and is too late.
            dying.keep(unsettled)
            try await dying.settle()
            #expect(dying.settleCounts.lost == 1 && dying.settleCounts.settled == 0)
            #expect(heir.settleCounts.settled == 1)

            let mails = await sink.mails()
            #expect(mails.count == 2)
            #expect(mails.first?.bytes == mails.last?.bytes)
            #expect(try await app.ledger().map(\.state) == ["delivered"])
            #expect(try await app.history(of: message.id)?.attempts.map(\.claimNumber) == [2])
        }
    }

    @Test func `a refusal for good ends the message with the server's words`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running(SMTPScript(at: .rcpt, .reply(550, "5.1.1 no such mailbox"))) { sink in
            _ = try await app.signUp(ada)

            try await app.worker(to: sink).drain()

            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "rejected")
            #expect(entry.lastCode == 550)
            #expect(entry.lastReply?.contains("no such mailbox") == true)
        }
    }

    @Test func `a refusal for now is tried again at its time and not before`() async throws {
        let app = try await TestApp.make()
        let script = SMTPScript { $0.stage == .rcpt && $0.connection == 1 ? .reply(451, "4.3.0 later") : .proceed }
        try await MailSink.running(script) { sink in
            _ = try await app.signUp(ada)
            let worker = try app.worker(to: sink)
            try await worker.drain()
            let due = try #require(try await app.ledger().first?.dueAt)
            #expect(due >= TestClock.start + .seconds(5) && due <= TestClock.start + .seconds(6))

            app.clock.set(due - .microseconds(1))
            #expect(try await worker.drain() == 0)
            app.clock.set(due)
            #expect(try await worker.drain() == 1)

            #expect(await sink.mails().count == 1)
            #expect(try await app.ledger().first?.attemptCount == 2)
        }
    }

    @Test(arguments: [
        (SMTPScript.Behaviour.reply(451, "4.3.0 later"), "exhausted"), (.closeAfterAccepting, "indeterminate"),
    ])
    func `a mail that never arrives is tried until it expires`(
        behaviour: SMTPScript.Behaviour, end: String
    ) async throws {
        let app = try await TestApp.make()
        try await MailSink.running(SMTPScript(at: .finalDot, behaviour)) { sink in
            let signUp = try await app.signUp(ada)
            let worker = try app.worker(to: sink)
            for _ in 0..<100 {
                try await worker.drain()
                guard let due = try await app.ledger().first?.dueAt else { break }
                app.clock.set(due)
            }

            let entry = try #require(try await app.ledger().first)
            let history = try #require(try await app.history(of: entry.id))
            #expect(entry.state == end)
            #expect((25...35).contains(history.attempts.count))
            #expect(history.attempts.allSatisfy { $0.startedAt < signUp.expiresAt - Lifetimes.mailMargin })
        }
    }

    @Test func `a mail that nobody attempted in time ends as expired, without an attempt`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running { sink in
            let signUp = try await app.signUp(ada)
            app.clock.set(signUp.expiresAt - Lifetimes.mailMargin)

            try await app.worker(to: sink).drain()

            #expect(await sink.mails().isEmpty)
            #expect(try await app.ledger().map(\.state) == ["expired"])
            #expect(try await app.ledger().map(\.attemptCount) == [0])
        }
    }
}
