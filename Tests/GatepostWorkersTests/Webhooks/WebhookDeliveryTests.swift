import Foundation
import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// From an owed notice to a receiver, and what its answers come to.
@Suite("Webhook delivery", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct WebhookDeliveryTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("ada@example.com"))
    }

    /// An app with an endpoint at a receiver that answers as told, and a worker.
    private func delivering(
        _ answer: @escaping @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { _ in HTTPSink.answer() },
        settings: WorkerSettings = WorkerSettings(),
        _ body: (TestApp, TestApp.Endpoint, OutboxWorker, HTTPSink) async throws -> Void
    ) async throws {
        let app = try await TestApp.make()
        let transport = try TestApp.loopbackTransport()
        try await HTTPSink.running(answer) { sink in
            let endpoint = try await app.addEndpoint(sink.url("/hook"))
            try await body(app, endpoint, app.webhookWorker(transport, settings: settings), sink)
        }
        await transport.shutdown()
    }

    /// Lets a notice come to its end, however many tries that takes.
    private func drainToTheEnd(_ app: TestApp, _ worker: OutboxWorker) async throws {
        for _ in 0..<20 {
            try await worker.drain()
            guard let due = try await app.ledger().compactMap(\.dueAt).min() else { return }
            app.clock.set(due)
        }
        Issue.record("it has no end")
    }

    @Test func `a notice arrives signed, with the ids as the API writes them`() async throws {
        try await delivering { app, endpoint, worker, sink in
            let user = try await app.owe(.userVerified, email: ada)
            app.clock.advance(by: .seconds(2))

            try await worker.drain()

            let request = try #require(sink.requests.first)
            let entry = try #require(try await app.ledger().first)
            #expect(sink.requests.count == 1 && request.method == "POST" && request.target == "/hook")
            #expect(request.header("content-type") == "application/json")
            #expect(
                String(decoding: request.body, as: UTF8.self) == """
                    {"data":{"app_id":"\(app.id)","email":"ada@example.com","user_id":"\(user)"},\
                    "timestamp":"2026-03-02T09:00:00.000000Z","type":"user.verified"}
                    """)
            #expect(request.header("webhook-id") == "\(entry.id)")
            #expect(request.header("webhook-timestamp") == "\(app.clock.now.seconds)")
            let expected = WebhookSignature(
                of: request.body, id: "\(entry.id)", at: app.clock.now, secrets: [endpoint.secret])
            #expect(request.header("webhook-signature") == expected.signatures)
            #expect(entry.state == "delivered" && entry.lastCode == 200 && entry.userID == user)
        }
    }

    @Test func `a retry has the same id and the same bytes, and the time of its own try`() async throws {
        let answer: @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { request in
            HTTPSink.answer(request.order < 3 ? 500 : 204)
        }
        try await delivering(answer) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)

            try await drainToTheEnd(app, worker)

            let requests = sink.requests
            #expect(requests.count == 3)
            #expect(Set(requests.map(\.body)).count == 1)
            #expect(Set(requests.map { $0.header("webhook-id") }).count == 1)
            #expect(Set(requests.map { $0.header("webhook-timestamp") }).count == 3)
            #expect(Set(requests.map { $0.header("webhook-signature") }).count == 3)
            #expect(try await app.ledger().map(\.state) == ["delivered"])
            #expect(try await app.ledger().map(\.attemptCount) == [3])
        }
    }

    @Test(arguments: [400, 401, 404, 422, 301, 302, 307, 308])
    func `an answer that refuses or leads elsewhere ends after three tries, and no redirect is followed`(
        status: Int
    ) async throws {
        let answer: @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { _ in
            HTTPSink.answer(status, headers: ["Location: /elsewhere"])
        }
        try await delivering(answer) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)

            try await drainToTheEnd(app, worker)

            #expect(sink.requests.map(\.target) == ["/hook", "/hook", "/hook"])
            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "rejected" && entry.attemptCount == 3 && entry.lastCode == Int32(status))
        }
    }

    @Test func `a receiver that never takes it is tried eleven times within the notice's life`() async throws {
        try await delivering({ _ in HTTPSink.answer(503) }) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)
            let start = app.clock.now

            try await drainToTheEnd(app, worker)

            let entry = try #require(try await app.ledger().first)
            #expect(sink.requests.count == 11 && entry.state == "exhausted")
            #expect(app.clock.now - start < Lifetimes.webhookNotice)
            #expect(app.clock.now - start > .hours(75))
        }
    }

    @Test func `an endpoint that is busy is not asked again before the time that it names`() async throws {
        let answer: @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { request in
            request.order == 1 ? HTTPSink.answer(429, headers: ["Retry-After: 3600"]) : HTTPSink.answer()
        }
        try await delivering(answer) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)
            let start = app.clock.now
            try await worker.drain()
            app.clock.advance(by: .seconds(3599))
            try await worker.drain()
            #expect(sink.requests.count == 1)

            try await drainToTheEnd(app, worker)

            #expect(sink.requests.count == 2 && app.clock.now >= start + .hours(1))
            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }

    @Test func `410 disables the endpoint with its reason and an event, and what else is owed there ends`() async throws
    {
        try await delivering({ _ in HTTPSink.answer(410) }) { app, endpoint, worker, sink in
            try await app.owe(.userCreated, email: ada)
            try await worker.drain()
            // Owed before the endpoint was disabled: as if a second worker had been a moment slower.
            try await app.database.batch(in: app.scope) { batch in
                batch.changeWebhookEndpoint(endpoint.id, WebhookEndpointChange(isEnabled: true), at: app.clock.now)
            }
            try await app.owe(.userVerified, email: try #require(EmailAddress("eve@example.com")))
            try await app.database.batch(in: app.scope) { batch in
                _ = batch.disableWebhookEndpoint(endpoint.id, .gone, at: app.clock.now)
            }
            try await worker.drain()
            // And none is owed to it any more.
            try await app.owe(.userCreated, email: try #require(EmailAddress("bob@example.com")))

            #expect(sink.requests.count == 1)
            let entries = try await app.ledger()
            #expect(Set(entries.map(\.state)) == ["rejected", "obsolete"] && entries.count == 2)
            #expect(Set(entries.map(\.reason)) == ["endpoint_gone", "endpoint_disabled"])
            let record = try await app.database.batch(in: app.scope) {
                $0.webhookEndpoint(endpoint.id, at: app.clock.now)
            }
            #expect(record?.isEnabled == false && record?.disabledReason == "gone")
            let events = try await app.database.batch(in: app.scope) { batch in
                batch.read(
                    """
                    select concat_ws(' ', kind, actor_kind, reason, details ->> 'webhook_endpoint') as text
                      from audit_events where app_id = \(app.id) and kind like 'webhook%'
                    """
                ) { try $0.map { try $0.get("text", as: String.self) } }
            }
            #expect(events == ["webhook_endpoint.disabled worker gone \(endpoint.id)"])
        }
    }

    @Test func `a receiver that hangs is cut off, and the notice is owed on`() async throws {
        let settings = WorkerSettings(deliveryDeadline: .seconds(2))
        try await delivering({ _ in [.stall] }, settings: settings) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)

            try await worker.drain()

            let entry = try #require(try await app.ledger().first)
            #expect(sink.requests.count == 1)
            #expect(entry.state == "waiting" && entry.lastOutcome == "indeterminate" && entry.attemptCount == 1)
        }
    }

    @Test func `an answer without an end counts by its status, and little of it is kept`() async throws {
        let head = "HTTP/1.1 200 OK\r\n\r\n"
        try await delivering({ _ in [.text(head), .endless("all work and no play ")] }) { app, _, worker, sink in
            try await app.owe(.userCreated, email: ada)

            try await worker.drain()

            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "delivered" && (entry.lastReply ?? "").count <= Attempt.replyLengthMax)
            try await sink.waitForLostConnections(count: 1)
        }
    }
}
