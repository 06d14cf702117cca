import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// A settlement was once dropped if Postgres refused its data, and its mail was sent again at the end of each lease.
@Suite("Refused settlements", .ownDatabase, .showsSeed)
struct RefusedSettlementTests {
    @Test func `a message whose settlement is refused ends plainly, is not sent again, and the others are settled`()
        async throws
    {
        let app = try await TestApp.make()
        let logs = LogLines()
        let superuser = try await TestDatabase.current.superuserPool()
        try await superuser.batch(
            ["alter table delivery_attempts add constraint no_poison check (reply not like '%poison%')"],
            on: .exclusive, deadline: .seconds(10))
        let script = SMTPScript { $0.stage == .finalDot && $0.connection == 1 ? .reply(250, "poison") : .proceed }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink, logger: logs.logger)
            for name in ["ada", "bob", "eve"] {
                _ = try await app.signUp(try #require(EmailAddress("\(name)@example.com")))
                app.clock.advance(by: .milliseconds(1))
            }
            let claimed = try await worker.claim()
            for message in claimed { worker.keep(await worker.deliver(message)) }
            try await worker.settle()
            app.clock.advance(by: worker.settings.lease)
            try await worker.drain()

            #expect(claimed.count == 3)
            #expect(try await app.ledger().map(\.state) == ["delivered", "delivered", "delivered"])
            let refused = try await app.ledger().filter { $0.reason == "settlement_refused" }
            #expect(refused.map(\.lastReply) == ["(could not be stored)"])
            #expect(refused.map(\.attemptCount) == [1])
            #expect(logs.count(of: "a settlement is refused") == 1)
            #expect(await sink.mails().count <= 3)
        }
        await superuser.shutdown()
    }

    @Test func `a reason that cannot even be sent holds up nothing`() async throws {
        let app = try await TestApp.make()
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            _ = try await app.signUp(try #require(EmailAddress("ada@example.com")))
            let message = try #require(try await worker.claim().first)

            worker.keep(Settlement(of: message, .ended(.obsolete, reason: "a\u{0}b"), at: app.clock.now))
            try await worker.settle()

            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "obsolete" && entry.reason == "settlement_refused")
        }
    }
}
