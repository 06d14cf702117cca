import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Deliveries: redrive", .ownDatabase, .showsSeed)
struct RedriveTests {
    /// Says no for good on each connection's mail while it is down.
    private static let down = SMTPScript(at: .rcpt, .reply(550, "5.7.1 relay is not configured"))

    @Test func `a mail that was rejected says why, and is delivered when it is redriven`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (signUp, message) = try await fixture.signUp()
        try await MailSink.running(Self.down) { try await fixture.app.drainOutbox(to: $0) }
        let rejected = try await fixture.newest()
        #expect(rejected.state == "rejected" && rejected.lastCode == 550)
        #expect(rejected.lastReply?.contains("relay is not configured") == true)

        try await MailSink.running { sink in
            let redriven = try await fixture.flow.redrive(message, for: .byOperator, in: fixture.app.scope).value
            try await fixture.app.drainOutbox(to: sink)

            let text = await sink.mails().first?.text.replacing("=\r\n", with: "")
            #expect(text?.contains(fixture.link(signUp)) == true)
            #expect(try await fixture.state(try #require(redriven)) == "delivered")
            #expect(try await fixture.state(message) == "rejected")
            #expect(try await fixture.events() == ["message.redriven operator \(message)"])
            let again = try await fixture.flow.redrive(message, for: .byOperator, in: fixture.app.scope)
            #expect(again.refusedCode == .conflict)
        }
    }

    @Test func `only what failed is redriven`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, delivered) = try await fixture.signUp()
        try await MailSink.running { try await fixture.app.drainOutbox(to: $0) }
        fixture.app.clock.advance(by: .seconds(1))
        let (_, owed) = try await fixture.signUp("eve@example.com")
        fixture.app.clock.advance(by: .seconds(1))
        let (_, cancelled) = try await fixture.signUp("bob@example.com")
        _ = try await fixture.flow.cancel(cancelled, for: .byOperator, in: fixture.app.scope)

        for message in [delivered, owed, cancelled] {
            let outcome = try await fixture.flow.redrive(message, for: .byOperator, in: fixture.app.scope)
            #expect(outcome.refusedCode == .conflict)
        }
        #expect(try await fixture.app.ledger().count == 3)
    }

    @Test func `a day without a relay is redriven within its bounds, each message once`() async throws {
        let fixture = try await DeliveryFixture.make()
        let clock = fixture.app.clock
        let start = clock.now
        var messages: [MessageID] = []
        for name in ["ada", "bob", "eve", "mia"] {
            messages.append(try await fixture.signUp("\(name)@example.com").message)
            clock.advance(by: .minutes(10))
        }
        try await MailSink.running(Self.down) { try await fixture.app.drainOutbox(to: $0) }
        var day = LedgerFilter(state: .rejected)
        day.kind = VerificationMail.kind
        (day.since, day.until) = (start, start + .minutes(30))

        let outcomes = try await race(4) { [day] in
            try await fixture.flow.redriveAll(day, for: .byOperator, in: fixture.app.scope)
        }

        #expect(outcomes.compactMap { $0.value?.count }.sorted() == [0, 0, 0, 3])
        #expect(outcomes.allSatisfy { $0.value?.hasMore == false })
        #expect(
            try await fixture.events().sorted() == messages[..<3].map { "message.redriven operator \($0)" }.sorted())
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            #expect(await sink.mails().count == 3)
        }
        let afterwards = try await fixture.flow.redriveAll(day, for: .byOperator, in: fixture.app.scope)
        #expect(afterwards.value?.count == 0)
    }

    @Test func `what failed is redriven in the lane that delays nobody`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running(Self.down) { sink in
            try await fixture.app.drainOutbox(to: sink)
            var all = LedgerFilter()
            (all.since, all.until) = (fixture.app.clock.now, fixture.app.clock.now + .seconds(1))
            _ = try await fixture.flow.redriveAll(all, for: .byOperator, in: fixture.app.scope)

            let claimed = try await fixture.app.worker(to: sink).claim()
            #expect(claimed.map(\.lane) == [.bulk])
            #expect(try await fixture.app.history(of: message)?.replays.map(\.id) == claimed.map(\.id))
        }
    }

    @Test func `one call takes so many, says that there are more, and the next goes on`() async throws {
        let fixture = try await DeliveryFixture.make()
        let now = fixture.app.clock.now
        try await fixture.app.database.batch(in: fixture.app.scope) { batch in
            batch.add(
                """
                insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                        expires_at, ended_at)
                select \(fixture.app.id), gen_random_uuid(), 'mail.account_exists', 'notice', 'mail', 'exhausted', 9,
                       '{}', \(now), \(now + .hours(1)), \(now)
                  from generate_series(1, \(LedgerLimits.redrivenMax + 1))
                """)
        }
        var all = LedgerFilter()
        (all.since, all.until) = (now, now + .seconds(1))

        let first = try await fixture.flow.redriveAll(all, for: .byOperator, in: fixture.app.scope).value
        let second = try await fixture.flow.redriveAll(all, for: .byOperator, in: fixture.app.scope).value

        #expect(first?.count == LedgerLimits.redrivenMax && first?.hasMore == true)
        #expect(second?.count == 1 && second?.hasMore == false)
        #expect(try await fixture.events().count == LedgerLimits.redrivenMax + 1)
    }
}
