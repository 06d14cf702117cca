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

/// An endpoint that takes nothing for days is disabled and everybody can see why; a success starts the count anew.
@Suite("Webhook failures", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct WebhookFailureTests {
    /// What the receiver answers from now on.
    private final class Answer: Sendable {
        let status = Mutex(503)
    }

    private struct Scene {
        let app: TestApp
        let endpoint: WebhookEndpointID
        let worker: OutboxWorker
        let answer: Answer
        let log: LogLines

        /// Something happens, and its notice and all older ones are tried.
        func happen(at moment: Instant) async throws {
            app.clock.set(moment)
            let address = try #require(EmailAddress("u\(moment.microseconds)@example.com"))
            try await app.owe(.userCreated, email: address)
            try await worker.drain()
        }

        func runJob() async throws -> JobReport {
            let runner = JobRunner(
                database: app.database, catalog: try JobCatalog(), clock: app.clock, logger: log.logger,
                pause: { _ in })
            return try await runner.run("disable-failing-webhook-endpoints", at: app.clock.now)
        }

        func record() async throws -> WebhookEndpointRecord {
            try #require(
                try await app.database.batch(in: app.scope) { $0.webhookEndpoint(endpoint, at: app.clock.now) })
        }
    }

    private func scene(_ body: (Scene) async throws -> Void) async throws {
        let (app, answer, log) = (try await TestApp.make(), Answer(), LogLines())
        let transport = try TestApp.loopbackTransport()
        try await HTTPSink.running({ _ in HTTPSink.answer(answer.status.withLock { $0 }) }) { sink in
            let endpoint = try await app.addEndpoint(sink.url("/hook")).id
            try await body(
                Scene(
                    app: app, endpoint: endpoint, worker: app.webhookWorker(transport, logger: log.logger),
                    answer: answer, log: log))
        }
        await transport.shutdown()
    }

    @Test func `two failures with days of silence between them disable nothing`() async throws {
        try await scene { scene in
            let later = TestClock.start + .days(6)
            try await scene.happen(at: TestClock.start)
            try await scene.happen(at: later)

            #expect(try await scene.runJob().rowCount == 0)
            #expect(try await scene.record().failingSince == later)
        }
    }

    @Test func `five days of failures disable an endpoint, with its reason, an event, and no further call`()
        async throws
    {
        try await scene { scene in
            let start = TestClock.start
            for day in 0...4 as ClosedRange<Int64> {
                try await scene.happen(at: start + .days(day))
                #expect(try await scene.runJob().rowCount == 0)
            }
            #expect(try await scene.record().failingSince == start)

            try await scene.happen(at: start + .days(5))
            let report = try await scene.runJob()

            let record = try await scene.record()
            #expect(report.rowsByApp == [scene.app.id: 1])
            #expect(!record.isEnabled && record.disabledReason == "failing" && record.failingSince == start)
            let events = try await scene.app.database.batch(in: scene.app.scope) { batch in
                batch.auditEvents(AuditFilter(kinds: ["webhook_endpoint.disabled"]), after: nil, limit: 10)
            }
            #expect(events.map(\.reason) == ["failing"])
            scene.app.clock.advance(by: .days(1))
            try await scene.worker.drain()
            #expect(try await scene.app.ledger().contains { $0.reason == "endpoint_disabled" })
        }
    }

    @Test func `one notice that is taken starts the count anew`() async throws {
        try await scene { scene in
            let start = TestClock.start
            try await scene.happen(at: start)
            scene.answer.status.withLock { $0 = 200 }
            try await scene.happen(at: start + .days(3))
            #expect(try await scene.record().failingSince == nil)
            scene.answer.status.withLock { $0 = 500 }
            for day in 4...8 as ClosedRange<Int64> { try await scene.happen(at: start + .days(day)) }

            // Counted from the first failure of all, it would be five days and more.
            #expect(try await scene.runJob().rowCount == 0)
            #expect(try await scene.record().failingSince == start + .days(4))
        }
    }

    @Test func `an endpoint that is enabled again, or that has another URL, starts anew`() async throws {
        let url = try #require(WebhookURL("https://other.example.com/", allowsPrivate: false))
        for change in [WebhookEndpointChange(isEnabled: true), WebhookEndpointChange(url: url)] {
            try await scene { scene in
                try await scene.happen(at: TestClock.start)
                #expect(try await scene.record().failingSince != nil)

                try await scene.app.database.batch(in: scene.app.scope) { batch in
                    batch.changeWebhookEndpoint(scene.endpoint, change, at: scene.app.clock.now)
                }

                #expect(try await scene.record().failingSince == nil)
            }
        }
        try await scene { scene in
            try await scene.happen(at: TestClock.start)
            try await scene.app.database.batch(in: scene.app.scope) { batch in
                batch.changeWebhookEndpoint(
                    scene.endpoint, WebhookEndpointChange(description: "slow"), at: scene.app.clock.now)
            }
            #expect(try await scene.record().failingSince != nil)
        }
    }

    @Test func `an endpoint that is gone and cannot be disabled is told of in the log, and the notice ends`()
        async throws
    {
        try await scene { scene in
            scene.answer.status.withLock { $0 = 410 }
            let superuser = try await TestDatabase.current.superuserPool()
            try await superuser.batch(
                ["revoke update on webhook_endpoints from gatepost_app"], on: .exclusive, deadline: .seconds(10))
            await superuser.shutdown()

            try await scene.happen(at: TestClock.start)

            #expect(scene.log.count(of: "an endpoint that is gone could not be disabled") == 1)
            #expect(scene.log.count(of: "42501") == 1)
            #expect(scene.log.all.contains { $0.contains("\(scene.endpoint)") && $0.contains("\(scene.app.id)") })
            #expect(try await scene.app.ledger().map(\.state) == ["rejected"])
            #expect(try await scene.record().isEnabled)
        }
    }
}
