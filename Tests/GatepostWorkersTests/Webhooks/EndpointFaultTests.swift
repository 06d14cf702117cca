import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

/// Endpoints that misbehave, beside one that does not.
@Suite("Endpoints that misbehave", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct EndpointFaultTests {
    static let eventCount = 20

    /// Time that goes on by itself from where tests begin: what is turned away for a moment comes back.
    private struct RunningClock: WallClock {
        private let clock = ContinuousClock()
        private let begin: ContinuousClock.Instant

        init() {
            begin = clock.now
        }

        var now: Instant { TestClock.start + (clock.now - begin) }
    }

    /// A receiver of many characters, by the path that is called.
    private final class Receiver: Sendable {
        private let isStuck = Mutex(true)

        func answer(_ request: HTTPSink.Request) -> [HTTPSink.Step] {
            switch request.target {
            case "/slow": isStuck.withLock { $0 } ? [.stall] + HTTPSink.answer() : HTTPSink.answer()
            case "/endless": [.text("HTTP/1.1 200 OK\r\n\r\n"), .endless("all work and no play ")]
            case "/redirecting": HTTPSink.answer(307, headers: ["Location: /elsewhere"])
            default: HTTPSink.answer()
            }
        }

        func recover() {
            isStuck.withLock { $0 = false }
        }
    }

    private func worker(
        of app: TestApp, _ transport: HTTPTransport, settings: WorkerSettings = WorkerSettings()
    ) -> OutboxWorker {
        let clock = RunningClock()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let handler = WebhookHandler(
            database: app.database, clock: clock, random: app.random, keys: app.keys, transport: transport,
            logger: logger)
        return OutboxWorker(
            database: app.database, clock: clock, random: app.random, handlers: [WebhookNotice.kind: handler],
            settings: settings, logger: logger)
    }

    @Test func `a dead, a slow, an endless and a redirecting endpoint delay no notice of a healthy one`() async throws {
        let app = try await TestApp.make()
        let transport = try TestApp.loopbackTransport()
        let receiver = Receiver()
        let deadPort = try await HTTPSink.running { $0.port }
        try await HTTPSink.running { healthy in
            try await HTTPSink.running({ receiver.answer($0) }) { bad in
                let dead = try await app.addEndpoint("http://127.0.0.1:\(deadPort)/dead")
                let slow = try await app.addEndpoint(bad.url("/slow"))
                let endless = try await app.addEndpoint(bad.url("/endless"))
                _ = try await app.addEndpoint(bad.url("/redirecting"))
                let fine = try await app.addEndpoint(healthy.url("/fine"))
                for number in 1...Self.eventCount {
                    try await app.owe(.userCreated, email: try #require(EmailAddress("u\(number)@example.com")))
                }
                let worker = worker(of: app, transport)
                try await withService(worker) { _ in
                    try await healthy.waitForRequests(count: Self.eventCount, within: .seconds(120))
                    // Those of the slow one hang all the while, no more than its share beside those that were given up.
                    let slowCount = bad.requests.count { $0.target == "/slow" }
                    #expect(slowCount <= 4 + (try await attempts(at: slow, in: app)))
                    receiver.recover()
                    bad.release()
                    // The client goes away from each answer that does not end.
                    try await bad.waitForLostConnections(count: Self.eventCount, within: .seconds(120))
                }

                #expect(Set(healthy.requests.compactMap { $0.header("webhook-id") }).count == Self.eventCount)
                #expect(healthy.requests.count == Self.eventCount)
                #expect(try await ends(of: fine, in: app) == ["delivered": Self.eventCount])
                #expect(!bad.requests.contains { $0.target == "/elsewhere" })
                #expect(bad.requests.contains { $0.target == "/slow" })
                #expect(try await ends(of: slow, in: app)["rejected"] == nil)
                // Its status counts, and of what came not more than the ledger's excerpt is kept.
                #expect(try await ends(of: endless, in: app)["delivered"] ?? 0 > 0)
                let longest = try await app.number(
                    "select coalesce(max(octet_length(reply)), 0) from delivery_attempts")
                #expect(longest <= Attempt.replyLengthMax)
                // The fifth failure opened its route; by then three more may have been under way.
                let report = worker.breakerReport[.webhook]
                #expect(try await attempts(at: dead, in: app) <= 8 + report.probes)
                #expect(report.openings >= 1)
            }
        }
        await transport.shutdown()
    }

    private func ends(of endpoint: TestApp.Endpoint, in app: TestApp) async throws -> [String: Int] {
        try await TestDatabase.current.withSuperuser { pool in
            let results = try await pool.batch(
                [
                    """
                    select outcome, count(*) as count from deliveries where route = \(route(endpoint)) group by outcome
                    """
                ], deadline: .seconds(10))
            return try (results.first.map(Array.init) ?? []).reduce(into: [:]) { ends, row in
                ends[try row.get("outcome", as: String.self)] = try row.get("count", as: Int.self)
            }
        }
    }

    private func attempts(at endpoint: TestApp.Endpoint, in app: TestApp) async throws -> Int {
        try await app.number(
            "select coalesce(sum(attempt_count), 0) from ledger where route = \(route(endpoint))")
    }

    private func route(_ endpoint: TestApp.Endpoint) -> SQL {
        "\(OutboxMessage.webhookRoutePrefix)::text || \(endpoint.id)::uuid"
    }
}
