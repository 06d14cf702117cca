import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import GatepostStore
import TestSupport
import Testing

@Suite("Deliveries: hold and release", .ownDatabase, .showsSeed)
struct HoldTests {
    @Test func `a held mail is not sent until it is released`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        let scope = fixture.app.scope
        try await MailSink.running { sink in
            let worker = try fixture.app.worker(to: sink)
            #expect(try await fixture.flow.hold(message, for: .byOperator, in: scope).value == message)
            #expect(try await fixture.flow.hold(message, for: .byOperator, in: scope).value == message)
            fixture.app.clock.advance(by: .hours(1))
            #expect(try await worker.drain() == 0)
            #expect(try await fixture.state(message) == "held")

            #expect(try await fixture.flow.release(message, for: .byOperator, in: scope).value == message)
            #expect(try await fixture.flow.release(message, for: .byOperator, in: scope).value == message)
            #expect(try await fixture.newest().dueAt == fixture.app.clock.now)
            try await worker.drain()

            #expect(await sink.mails().count == 1)
            #expect(try await fixture.state(message) == "delivered")
            #expect(
                try await fixture.events() == [
                    "message.held operator \(message)", "message.released operator \(message)",
                ])
        }
    }

    @Test func `an attempt that is under way when its message is held still counts`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running(SMTPScript(at: .finalDot, .stall)) { sink in
            let worker = try fixture.app.worker(to: sink)
            let claimed = try #require(try await worker.claim().first)
            async let settlement = worker.deliver(claimed)
            try await sink.script.reached(.finalDot)
            _ = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)

            sink.script.release()
            worker.keep(await settlement)
            try await worker.settle()

            #expect(try await fixture.state(message) == "delivered")
        }
    }

    @Test func `a held message whose attempt failed stays held, and is tried again once released`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        let script = SMTPScript { moment in
            switch moment.stage {
            case .mail where moment.connection == 1: .stall
            case .rcpt where moment.connection == 1: .reply(451, "4.3.0 later")
            default: .proceed
            }
        }
        try await MailSink.running(script) { sink in
            let worker = try fixture.app.worker(to: sink)
            let claimed = try #require(try await worker.claim().first)
            async let settlement = worker.deliver(claimed)
            try await sink.script.reached(.mail)
            _ = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)
            sink.script.release()
            worker.keep(await settlement)
            try await worker.settle()

            let held = try await fixture.newest()
            #expect(held.state == "held" && held.attemptCount == 1)
            fixture.app.clock.advance(by: .hours(1))
            #expect(try await worker.drain() == 0)

            _ = try await fixture.flow.release(message, for: .byOperator, in: fixture.app.scope)
            try await worker.drain()
            #expect(try await fixture.state(message) == "delivered")
            #expect(try await fixture.newest().attemptCount == 2)
        }
    }

    @Test func `a release does not end the lease of the worker that is sending`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            let (sending, idle) = (try fixture.app.worker(to: sink), try fixture.app.worker(to: sink))
            let claimed = try #require(try await sending.claim().first)
            _ = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)
            fixture.app.clock.advance(by: .seconds(1))
            _ = try await fixture.flow.release(message, for: .byOperator, in: fixture.app.scope)

            #expect(try await fixture.newest().dueAt == claimed.leaseEnd)
            #expect(try await idle.drain() == 0)
            sending.keep(await sending.deliver(claimed))
            try await sending.settle()

            #expect(await sink.mails().count == 1)
            #expect(try await fixture.state(message) == "delivered")
        }
    }

    @Test func `a lease that ended while its message was held is nobody's any more`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            let (dead, heir) = (try fixture.app.worker(to: sink), try fixture.app.worker(to: sink))
            let claimed = try #require(try await dead.claim().first)
            _ = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)
            fixture.app.clock.set(claimed.leaseEnd + .seconds(1))
            #expect(try await heir.drain() == 0)

            _ = try await fixture.flow.release(message, for: .byOperator, in: fixture.app.scope)
            #expect(try await heir.drain() == 1)
            dead.keep(Settlement(of: claimed, .waits(until: fixture.app.clock.now), at: fixture.app.clock.now))
            try await dead.settle()

            #expect(try await fixture.state(message) == "delivered")
        }
    }

    @Test func `a hold that races with a claim loses no mail and sends none twice`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running { sink in
            _ = try await race(6) {
                _ = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)
                try await fixture.app.worker(to: sink).drain()
            }
            if try await fixture.state(message) == "held" {
                _ = try await fixture.flow.release(message, for: .byOperator, in: fixture.app.scope)
                fixture.app.clock.advance(by: .minutes(5))
                try await fixture.app.worker(to: sink).drain()
            }

            #expect(await sink.mails().count == 1)
            #expect(try await fixture.state(message) == "delivered")
        }
    }

    @Test func `what has ended can be neither held nor released`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        _ = try await fixture.flow.cancel(message, for: .byOperator, in: fixture.app.scope)

        let held = try await fixture.flow.hold(message, for: .byOperator, in: fixture.app.scope)
        let released = try await fixture.flow.release(message, for: .byOperator, in: fixture.app.scope)

        #expect(held.refusedCode == .conflict && released.refusedCode == .conflict)
        #expect(try await fixture.state(message) == "cancelled")
    }
}
