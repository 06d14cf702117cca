import GatepostFlows
import GatepostModel
import GatepostOutbox
import TestSupport
import Testing

/// What an app keeps no longer is not there for anybody, whether or not a job has deleted it yet.
@Suite("Deliveries: history", .ownDatabase, .showsSeed)
struct HistoryTests {
    @Test func `what ended is shown for 30 days to the microsecond, then nothing can be done with it`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (app, flow) = (fixture.app, fixture.flow)
        let (_, message) = try await fixture.signUp()
        _ = try await flow.cancel(message, for: .byOperator, in: app.scope)
        let end = app.clock.now

        app.clock.set(end + .days(30))
        #expect(try await app.ledger().map(\.id) == [message])
        #expect(try await flow.delivery(message, in: app.scope)?.entry.state == "cancelled")

        app.clock.advance(by: .microseconds(1))
        #expect(try await app.ledger().isEmpty)
        #expect(try await flow.delivery(message, in: app.scope) == nil)
        #expect(try await flow.resend(message, for: .byOperator, in: app.scope).refusedCode == .notFound)
        let again = try await flow.cancel(message, for: .byOperator, in: app.scope)
        #expect(again.refusedCode == .notFound)
    }

    @Test func `what failed is redriven as far back as the history goes`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (app, flow) = (fixture.app, fixture.flow)
        _ = try await fixture.signUp()
        // A day later it has expired, unsent.
        app.clock.advance(by: .days(1))
        try await MailSink.running { try await app.drainOutbox(to: $0) }
        #expect(try await app.ledger().map(\.state) == ["expired"])

        app.clock.advance(by: .days(30) + .microseconds(1))
        let late = try await flow.redriveAll(LedgerFilter(), for: .byOperator, in: app.scope).value
        app.clock.advance(by: .zero - .microseconds(1))
        let inTime = try await flow.redriveAll(LedgerFilter(), for: .byOperator, in: app.scope).value

        #expect(late?.count == 0 && inTime?.count == 1)
    }

    @Test func `what is still owed is shown however old it is`() async throws {
        let fixture = try await DeliveryFixture.make()
        let (_, message) = try await fixture.signUp()

        fixture.app.clock.advance(by: .days(365))

        #expect(try await fixture.app.ledger().map(\.id) == [message])
        #expect(try await fixture.app.history(of: message)?.entry.state == "owed")
    }
}
