import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import GatepostStore
import TestSupport
import Testing

@Suite("Deliveries: resend", .ownDatabase, .showsSeed)
struct ResendTests {
    @Test func `a resend is a message of its own with the same link and code`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (signUp, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            fixture.app.clock.advance(by: .hours(2))
            let outcome = try await fixture.flow.resend(
                message, for: DeliveryRequest(byOperator: "she deleted it"), in: fixture.app.scope)
            let resent = try #require(outcome.value)
            #expect(try await fixture.newest().expiresAt == signUp.expiresAt - Lifetimes.mailMargin)
            try await fixture.app.drainOutbox(to: sink)

            let mails = await sink.mails()
            #expect(mails.count == 2 && Set(mails.map { $0.header("Message-ID") }).count == 2)
            for mail in mails {
                let text = mail.text.replacing("=\r\n", with: "")
                #expect(text.contains(fixture.link(signUp)) && text.contains(signUp.secrets.code.revealed))
            }
            let (old, new) = (
                try #require(try await fixture.app.history(of: message)),
                try #require(try await fixture.app.history(of: resent))
            )
            #expect(old.entry.state == "delivered" && old.replays.map(\.id) == [resent])
            #expect(new.entry.state == "delivered" && new.entry.replayOf == message)
            #expect(try await fixture.events() == ["message.resent operator \(message) she deleted it"])
            try await fixture.app.verify(signUp)
        }
    }

    @Test func `a resend of a mail whose link was used ends as obsolete and says so`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (signUp, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            try await fixture.app.verify(signUp)
            let resent = try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope).value
            try await fixture.app.drainOutbox(to: sink)

            #expect(await sink.mails().count == 1)
            let entry = try await fixture.app.history(of: try #require(resent))?.entry
            #expect(entry?.state == "obsolete" && entry?.reason == "flow_passed")
        }
    }

    @Test func `a resend after its flow's life ends as expired, without an attempt`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (signUp, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            fixture.app.clock.set(signUp.expiresAt)
            let resent = try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope).value
            try await fixture.app.drainOutbox(to: sink)

            #expect(await sink.mails().count == 1)
            #expect(try await fixture.state(try #require(resent)) == "expired")
        }
    }

    @Test func `resends at once owe one message, and a later one owes another`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            let outcomes = try await race(8) {
                try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope)
            }
            let ids = Set(outcomes.compactMap(\.value))
            #expect(ids.count == 1)
            #expect(try await fixture.app.ledger().count == 2)
            #expect(try await fixture.events().count == 1)

            // Claimed and not yet settled, it is still the one that is owed.
            let worker = try fixture.app.worker(to: sink)
            let claimed = try await worker.claim()
            let meanwhile = try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope).value
            #expect(meanwhile == ids.first)
            for message in claimed { worker.keep(await worker.deliver(message)) }
            try await worker.settle()

            fixture.app.clock.advance(by: .seconds(1))
            let later = try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope).value
            #expect(try !ids.contains(#require(later)))
            #expect(try await fixture.app.history(of: message)?.replays.map(\.isOwed) == [false, true])
        }
    }

    @Test func `what is still owed is not resent`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()

        let outcome = try await fixture.flow.resend(message, for: .byOperator, in: fixture.app.scope)

        #expect(outcome.refusedCode == .conflict)
        #expect(try await fixture.app.ledger().count == 1)
    }

    @Test func `a message that is about no flow lives as long again`() async throws {
        let fixture = try await DeliveryFixture.make()
        let clock = fixture.app.clock
        let message = OutboxMessage(
            id: fixture.app.newID(), kind: AccountExistsMail.kind, lane: .notice, route: OutboxMessage.mailRoute,
            createdAt: clock.now, expiresAt: clock.now + .hours(3))
        try await fixture.app.database.batch(in: fixture.app.scope) { $0.enqueue(message) }
        _ = try await fixture.flow.cancel(message.id, for: .byOperator, in: fixture.app.scope)
        clock.advance(by: .days(2))

        _ = try await fixture.flow.resend(message.id, for: .byOperator, in: fixture.app.scope)

        #expect(try await fixture.newest().expiresAt == clock.now + .hours(3))
    }

    @Test func `an address is found under each epoch of the key ring, owed and ended`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        func key(_ epoch: UInt8) -> String { "\(epoch):\(Data((0..<32).map { $0 ^ epoch }).base64EncodedString())" }
        var filter = LedgerFilter()
        filter.address = LedgerAddress(
            fixture.ada, in: fixture.app.id, keys: try KeyRing(Secret("\(key(2)),\(key(1))")))
        func found() async throws -> [MessageID] {
            try await fixture.flow.deliveries(filter, after: nil, limit: 10, in: fixture.app.scope).map(\.id)
        }

        #expect(try await found() == [message])
        try await MailSink.running { try await fixture.app.drainOutbox(to: $0) }
        #expect(try await found() == [message])
        filter.address = LedgerAddress(
            try #require(EmailAddress("eve@example.com")), in: fixture.app.id, keys: fixture.app.keys)
        #expect(try await found().isEmpty)
    }
}
