import GatepostDelivery
import GatepostStore
import GatepostDev
import GatepostModel
import GatepostOutbox
@testable import GatepostWorkers
import Logging
import TestSupport
import Testing

/// A message that cannot be handled stands in nobody's way.
@Suite("Poison messages", .ownDatabase, .showsSeed)
struct PoisonMessageTests {
    /// A handler whose work fails each time.
    private struct ThrowingHandler: Handler {
        func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
            .failedBeforeNetwork("it throws")
        }
    }

    private func owe(
        _ kind: MessageKind, _ count: Int, payload: String = "{}", route: String = OutboxMessage.mailRoute,
        by app: TestApp
    ) async throws {
        for _ in 0..<count {
            var message = OutboxMessage(
                id: app.newID(), kind: kind, lane: .notice, route: route, createdAt: app.clock.now,
                expiresAt: app.clock.now + .hours(1))
            message.payload = payload
            try await app.database.batch(in: app.scope) { $0.enqueue(message) }
            app.clock.advance(by: .milliseconds(1))
        }
    }

    @Test func `more poison than there are slots, at the head of the queue, does not stop the rest`() async throws {
        let app = try await TestApp.make()
        let poison = MessageKind(rawValue: "mail.poison")
        try await owe(poison, 20, by: app)
        // A payload that no handler can read, on a route that leads nowhere.
        try await owe(WebhookNotice.kind, 20, payload: #"{"data": 7}"#, route: "webhook x", by: app)
        try await owe(MessageKind(rawValue: "mail.of_tomorrow"), 20, by: app)
        try await app.oweMails(3, lane: .notice)
        let transport = try TestApp.loopbackTransport()
        try await MailSink.running { sink in
            let real = try app.worker(to: sink)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let worker = OutboxWorker(
                database: app.database, clock: app.clock, random: app.random,
                handlers: real.handlers.merging([
                    poison: ThrowingHandler(),
                    WebhookNotice.kind: WebhookHandler(
                        database: app.database, clock: app.clock, random: app.random, keys: app.keys,
                        transport: transport, logger: logger),
                ]) { $1 }, logger: logger)
            try await worker.drain()

            #expect(await sink.mails().count == 3)
            let entries = try await app.ledger()
            let waiting = entries.filter { $0.state == "waiting" }
            #expect(waiting.count == 40 && waiting.allSatisfy { $0.attemptCount == 0 })
            let unreadable = entries.filter { $0.state == "obsolete" }
            #expect(unreadable.count == 20 && unreadable.allSatisfy { $0.reason == "notice_unreadable" })
            #expect(worker.breakerReport[.mail].openings == 0, "what was not tried says nothing of the relay")

            app.clock.advance(by: .hours(1))
            try await worker.drain()
            #expect(try await app.ledger().count { $0.state == "expired" } == 40)
        }
        await transport.shutdown()
    }
}
