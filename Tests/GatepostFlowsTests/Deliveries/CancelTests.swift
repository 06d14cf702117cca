import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import GatepostStore
import TestSupport
import Testing

@Suite("Deliveries: cancel", .ownDatabase, .showsSeed)
struct CancelTests {
    @Test func `what is owed is taken back with one end and one event, however often it is asked for`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        let asked = DeliveryRequest(byOperator: "wrong address")

        let outcomes = try await race(8) {
            try await fixture.flow.cancel(message, for: asked, in: fixture.app.scope)
        }
        try await MailSink.running { sink in
            try await fixture.app.drainOutbox(to: sink)
            #expect(await sink.mails().isEmpty)
        }

        #expect(outcomes.allSatisfy { $0.value == message })
        let entry = try await fixture.newest()
        #expect(entry.state == "cancelled" && entry.reason == "operator" && entry.expiresAt != nil)
        #expect(try await fixture.app.ledger().count == 1)
        #expect(try await fixture.events() == ["message.cancelled operator \(message) wrong address"])
    }

    @Test func `what has ended cannot be taken back, and the try is on record`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running { try await fixture.app.drainOutbox(to: $0) }

        let outcome = try await fixture.flow.cancel(message, for: .byOperator, in: fixture.app.scope)

        #expect(outcome.refusedCode == .conflict)
        #expect(try await fixture.state(message) == "delivered")
        #expect(try await fixture.events() == ["request.refused operator conflict"])
    }

    @Test func `a mail that is on its way when it is cancelled arrives, and the ledger says both`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()
        try await MailSink.running(SMTPScript(at: .finalDot, .stall)) { sink in
            let worker = try fixture.app.worker(to: sink)
            let claimed = try #require(try await worker.claim().first)
            async let settlement = worker.deliver(claimed)
            try await sink.script.reached(.finalDot)

            let outcome = try await fixture.flow.cancel(message, for: .byOperator, in: fixture.app.scope)
            sink.script.release()
            worker.keep(await settlement)
            try await worker.settle()

            #expect(outcome.value == message)
            #expect(await sink.mails().count == 1)
            let history = try #require(try await fixture.app.history(of: message))
            #expect(history.entry.state == "cancelled" && history.entry.lastOutcome == "delivered")
            #expect(history.attempts.count == 1)
        }
    }

    @Test func `a message of another app is not found`() async throws {
        let (fixture, other) = (try await DeliveryFixture.make(), try await DeliveryFixture.make())
        let (_, message) = try await fixture.signUp()

        for deed in [other.flow.cancel, other.flow.hold, other.flow.release, other.flow.resend, other.flow.redrive] {
            #expect(try await deed(message, .byOperator, other.app.scope).refusedCode == .notFound)
        }
        #expect(try await fixture.state(message) == "owed")
    }

    @Test func `what goes to nobody is the system's own: it is not taken back, held or owed anew`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (app, flow) = (fixture.app, fixture.flow)
        let now = app.clock.now
        let message = OutboxMessage(
            id: app.newID(), kind: SigningKeyRotation.kind, lane: .notice, route: OutboxMessage.localRoute,
            createdAt: now, expiresAt: now + .seconds(3600))
        try await app.database.batch(in: app.scope) { $0.enqueue(message) }

        let outcomes = [
            try await flow.cancel(message.id, for: .byOperator, in: app.scope),
            try await flow.hold(message.id, for: .byOperator, in: app.scope),
            try await flow.release(message.id, for: .byOperator, in: app.scope),
            try await flow.resend(message.id, for: .byOperator, in: app.scope),
            try await flow.redrive(message.id, for: .byOperator, in: app.scope),
        ]

        #expect(outcomes.allSatisfy { $0.refusedCode == .conflict })
        #expect(try await fixture.state(message.id) == "owed")
    }
}
