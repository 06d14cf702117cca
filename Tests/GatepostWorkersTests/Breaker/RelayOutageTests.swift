import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import Synchronization
import TestSupport
import Testing

/// An hour without a relay, in moved time.
@Suite("An hour without a relay", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct RelayOutageTests {
    /// How far the clock moves between two looks.
    static let step: Duration = .seconds(20)
    static let personCount = 20
    /// The pauses between a mail's tries (docs: operating).
    static let pauses: [Duration] = [
        .seconds(5), .seconds(20), .minutes(1), .minutes(2), .minutes(5), .minutes(10), .minutes(15), .minutes(30),
    ]

    @Test func `no mail is lost that may still be sent, none is sent whose purpose is gone, and only probes are tried`()
        async throws
    {
        let app = try await TestApp.make()
        let isDown = Mutex(true)
        let script = SMTPScript { $0.stage == .connect && isDown.withLock { $0 } ? .close : .proceed }
        try await MailSink.running(script) { sink in
            let worker = try app.worker(to: sink)
            for number in 1...Self.personCount { _ = try await app.signUp(try address("person\(number)")) }
            let gone = try await Gone(in: app)
            try await work(worker, app, for: .minutes(30))
            try await gone.change(app)
            try await work(worker, app, for: .minutes(30))
            #expect(await sink.mails().isEmpty)
            try await expectOnlyProbes(worker, app)

            isDown.withLock { $0 = false }
            // Whoever was the probe seven times waits half an hour and its jitter for the next try of its own.
            try await work(worker, app, for: .minutes(60))

            let recipients = await sink.mails().flatMap(\.recipients)
            let expected = (1...Self.personCount).map { "person\($0)@example.com" } + ["superseded@example.com"]
            #expect(recipients.sorted() == expected.sorted(), "each that still has a purpose, and each once")
            let ends = try await app.ledger().filter { $0.state != "delivered" }
            let reasons = ends.map { entry in "\(entry.state) \(entry.reason ?? "")" }.sorted()
            #expect(
                reasons == [
                    "cancelled asked", "expired ", "obsolete flow_passed", "obsolete flow_refused",
                    "obsolete user_deactivated",
                ])
            let report = worker.breakerReport[.mail]
            #expect(report.open == 0 && report.openings == 1)
            try await expectSchedule(app)
        }
    }

    /// Mails whose purpose goes while they wait.
    private struct Gone {
        let used: TestApp.SignUp
        let cancelled: MessageID

        init(in app: TestApp) async throws {
            used = try await app.signUp(try address("used"))
            for name in ["superseded", "deactivated", "expired"] { _ = try await app.signUp(try address(name)) }
            app.clock.advance(by: .milliseconds(1))
            let last = try await app.signUp(try address("cancelled"))
            cancelled = try #require(try await app.ledger().first { $0.flowID == last.flow }).id
        }

        func change(_ app: TestApp) async throws {
            try await app.verify(used)
            _ = try await app.signUp(try address("superseded"))
            let isCancelled = try await app.database.batch(in: app.scope) {
                $0.cancelMessage(cancelled, reason: "asked", at: app.clock.now)
            }
            #expect(isCancelled)
            let changes: [SQL] = [
                """
                update users set state = 'deactivated', deactivated_at = now() where email = 'deactivated@example.com'
                """,
                """
                update outbox set expires_at = \(app.clock.now + .seconds(1))
                 where user_id = (select id from users where email = 'expired@example.com')
                """,
            ]
            try await TestDatabase.current.withSuperuser { _ = try await $0.batch(changes, deadline: .seconds(10)) }
        }
    }

    private func work(_ worker: OutboxWorker, _ app: TestApp, for length: Duration) async throws {
        let end = app.clock.now + length
        while app.clock.now < end {
            try await worker.drain()
            app.clock.advance(by: Self.step)
        }
    }

    /// Five tries opened the route; from then on there was one at a time, and hardly more than one a minute.
    private func expectOnlyProbes(_ worker: OutboxWorker, _ app: TestApp) async throws {
        let report = worker.breakerReport[.mail]
        let times = try await attemptTimes(app)
        #expect(report.open == 1 && report.openings == 1)
        #expect(times.count == 5 + report.probes)
        #expect((30...65).contains(report.probes), "\(report.probes) probes")
        let gaps: [Duration] = zip(times.dropFirst(4), times.dropFirst(5)).map { $1 - $0 }
        let least: [Duration] = [.seconds(5), .seconds(10), .seconds(20), .seconds(40)]
        for (position, gap) in gaps.enumerated() {
            #expect(gap >= (position < least.count ? least[position] : .minutes(1)), "probe \(position + 1)")
        }
    }

    /// A mail was never tried before its own schedule let it.
    private func expectSchedule(_ app: TestApp) async throws {
        for entry in try await app.ledger() where entry.attemptCount > 1 {
            let attempts = try #require(try await app.history(of: entry.id)).attempts.map(\.startedAt).sorted()
            for (position, gap) in zip(attempts, attempts.dropFirst()).map({ $1 - $0 }).enumerated() {
                #expect(gap >= Self.pauses[min(position, Self.pauses.count - 1)])
            }
        }
    }

    private func attemptTimes(_ app: TestApp) async throws -> [Instant] {
        try await TestDatabase.current.withSuperuser { pool in
            let results = try await pool.batch(
                ["select started_at from delivery_attempts order by started_at"], deadline: .seconds(10))
            return try results.first?.map { try $0.get("started_at", as: Instant.self) } ?? []
        }
    }
}

private func address(_ name: String) throws -> EmailAddress {
    try #require(EmailAddress("\(name)@example.com"))
}
