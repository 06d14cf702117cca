import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostTelemetry
@testable import GatepostWorkers
import TestSupport
import Testing

/// What a worker counts, a step at a time.
@Suite("Worker metrics", .ownDatabase, .showsSeed)
struct WorkerMetricsTests {
    let registry = MetricRegistry()

    private func expect(
        _ name: String, _ labels: String, _ value: Int, location: SourceLocation = #_sourceLocation
    ) {
        let line = "gatepost_\(name){\(labels)} \(value)"
        #expect(registry.text().split(separator: "\n").contains { $0 == line }, "\(line)", sourceLocation: location)
    }

    @Test func `a mail that fails once and then arrives is one retry, two attempts and one end`() async throws {
        let app = try await TestApp.make()
        _ = try await app.signUp(try #require(EmailAddress("ada@example.com")))
        let script = SMTPScript {
            $0.stage == .rcpt && $0.connection == 1 && $0.mailOfConnection == 1 ? .reply(451, "later") : .proceed
        }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink, metrics: WorkerMetrics(registry))
            try await worker.drain()
            let kind = #"kind="mail.verification""#
            expect("outbox_attempts_total", #"\#(kind),outcome="transient""#, 1)
            expect("outbox_retries_total", kind, 1)
            expect("outbox_ends_total", #"\#(kind),outcome="delivered""#, 0)
            expect("outbox_acceptance_seconds_count", kind, 0)

            app.clock.advance(by: .minutes(2))
            try await worker.drain()
            expect("outbox_attempts_total", #"\#(kind),outcome="delivered""#, 1)
            expect("outbox_ends_total", #"\#(kind),outcome="delivered""#, 1)
            expect("outbox_put_off_total", kind, 0)
            // Accepted two minutes after the request; both claims took no time at all by the test's clock.
            expect("outbox_acceptance_seconds_sum", kind, 120)
            expect("outbox_acceptance_seconds_count", kind, 1)
            expect("outbox_claim_to_settle_seconds_bucket", #"lane="interactive",le="0.005""#, 2)
        }
    }

    @Test func `a message that its handler settles is counted, and a kind that nobody knows has no label of its own`()
        async throws
    {
        let app = try await TestApp.make()
        for (kind, route) in [("signing_key.rotate", OutboxMessage.localRoute), ("mail.unheard_of", "mail")] {
            var message = OutboxMessage(
                id: app.newID(), kind: MessageKind(rawValue: kind), lane: .notice, route: route,
                createdAt: app.clock.now, expiresAt: app.clock.now + .hours(1))
            message.payload = #"{"algorithm": "ES256"}"#
            try await app.database.batch(in: app.scope) { [message] in $0.enqueue(message) }
        }
        try await MailSink.running { sink in
            try await app.worker(to: sink, metrics: WorkerMetrics(registry)).drain()
        }

        expect("outbox_ends_total", #"kind="signing_key.rotate",outcome="delivered""#, 1)
        expect("outbox_put_off_total", #"kind="other""#, 1)
        #expect(!registry.text().contains("unheard_of"))
    }

    /// It was taken for one that its handler had settled, and counted as delivered.
    @Test func `a mail that is cancelled after its claim is no end of this worker's`() async throws {
        let app = try await TestApp.make()
        _ = try await app.signUp(try #require(EmailAddress("ada@example.com")))
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink, metrics: WorkerMetrics(registry))
            let message = try #require(try await worker.claim().first)
            let isCancelled = try await app.database.batch(in: app.scope) {
                $0.cancelMessage(message.id, reason: "admin", at: app.clock.now)
            }
            #expect(isCancelled)

            #expect(await worker.deliverTraced(message) == nil)
        }
        expect("outbox_ends_total", #"kind="mail.verification",outcome="delivered""#, 0)
    }

    @Test func `an open breaker is counted by its kind of route, and what waits for it`() async throws {
        let app = try await TestApp.make()
        for number in 0..<8 {
            _ = try await app.signUp(try #require(EmailAddress("user\(number)@example.com")))
        }
        let script = SMTPScript { $0.stage == .connect ? .reply(421, "gone for lunch") : .proceed }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink, metrics: WorkerMetrics(registry))
            registry.add { worker.readings }
            expect("breakers_open", #"route="mail""#, 0)
            try await worker.drain()
        }

        expect("breakers_open", #"route="mail""#, 1)
        expect("breaker_openings_total", #"route="mail""#, 1)
        expect("breaker_turned_away_total", #"route="mail""#, 3)
        expect("breakers_open", #"route="webhook""#, 0)
        expect("outbox_retries_total", #"kind="mail.verification""#, 5)
        expect("outbox_put_off_total", #"kind="mail.verification""#, 3)
        expect("outbox_settlements_total", #"result="settled""#, 8)
        expect("outbox_settlements_total", #"result="lost""#, 0)
    }
}
