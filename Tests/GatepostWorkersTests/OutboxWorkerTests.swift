import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// The worker a step at a time, in the test's own task.
@Suite("Outbox worker", .ownDatabase, .showsSeed)
struct OutboxWorkerTests {
    /// So many people of an app sign up, a millisecond between one and the next.
    private func signUp(_ count: Int, in app: TestApp) async throws {
        for number in 0..<count {
            _ = try await app.signUp(try #require(EmailAddress("user\(number)@example.com")))
            app.clock.advance(by: .milliseconds(1))
        }
    }

    @Test func `two workers share the work and every mail is sent once`() async throws {
        let app = try await TestApp.make()
        try await signUp(30, in: app)
        try await MailSink.running { sink in
            _ = try await race(2) { try await app.worker(to: sink).drain() }

            let mails = await sink.mails()
            #expect(mails.count == 30)
            #expect(Set(mails.compactMap { $0.header("Message-ID") }).count == 30)
            #expect(try await app.ledger().allSatisfy { $0.state == "delivered" && $0.attemptCount == 1 })
        }
    }

    @Test func `an app with a long queue leaves room for another app in the next claim`() async throws {
        let clock = TestClock()
        let database = try await TestDatabase.current.database
        let flood = try await TestApp.make(in: database, clock: clock)
        let other = try await TestApp.make(in: database, clock: clock)
        try await signUp(60, in: flood)
        try await MailSink.running { sink in
            let worker = try flood.worker(to: sink)
            _ = try await worker.claim()
            try await signUp(1, in: other)

            let claimed = try await worker.claim()

            #expect(claimed.count { $0.app == other.id } == 1)
            #expect(claimed.count { $0.app == flood.id } >= worker.settings.deliverySlots / 2)
            #expect(claimed.count <= worker.settings.deliverySlots)
        }
    }

    @Test func `a worker claims no more than it has slots for`() async throws {
        let app = try await TestApp.make()
        try await signUp(40, in: app)
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink, settings: WorkerSettings(deliverySlots: 7))

            #expect(try await worker.claim().count == 7)
            #expect(try await worker.claim().count == 7)
        }
    }

    @Test func `results are kept while Postgres is down, and settled when it is back`() async throws {
        let test = try await TestDatabase.current
        let app = try await TestApp.make(in: test.impatientDatabase)
        try await signUp(3, in: app)
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            for message in try await worker.claim() { worker.keep(await worker.deliver(message)) }
            try await test.whileDown {
                await #expect(throws: PostgresError.self) { try await worker.settle() }
                await #expect(throws: PostgresError.self) { try await worker.claim() }
                // What is sent while nothing can be stored would be sent again once its lease is over.
                #expect(!worker.mayClaim)
            }

            try await worker.settle()
            #expect(worker.mayClaim)
            app.clock.advance(by: worker.settings.lease)
            try await worker.drain()

            #expect(await sink.mails().count == 3)
            #expect(try await app.ledger().map(\.state) == ["delivered", "delivered", "delivered"])
        }
    }

    @Test func `a delivery that its lease would not outlast is handed back without an attempt`() async throws {
        let app = try await TestApp.make()
        try await signUp(1, in: app)
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            let message = try #require(try await worker.claim().first)
            app.clock.set(message.leaseEnd - worker.settings.deliveryDeadline)

            worker.keep(await worker.deliver(message))
            try await worker.settle()

            #expect(await sink.mails().isEmpty)
            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "owed")
            #expect(entry.dueAt == app.clock.now)
            #expect(entry.attemptCount == 0)
            #expect(try await worker.drain() == 1)
            #expect(try await app.ledger().first?.state == "delivered")
        }
    }

    @Test func `a kind that this version does not know is put off and not lost`() async throws {
        let app = try await TestApp.make()
        var message = OutboxMessage(
            id: app.newID(), kind: MessageKind(rawValue: "mail.of_tomorrow"), lane: .notice, route: "mail",
            createdAt: app.clock.now, expiresAt: app.clock.now + .hours(1))
        message.payload = #"{"new": true}"#
        try await app.database.batch(in: app.scope) { $0.enqueue(message) }
        try await MailSink.running { sink in
            _ = try await app.worker(to: sink).drain()
        }

        let entry = try #require(try await app.ledger().first)
        #expect(entry.state == "waiting")
        #expect(entry.attemptCount == 0)
        #expect(try #require(entry.dueAt) >= app.clock.now + .seconds(5))
    }

    @Test func `a message that Postgres kept from being attempted loses no try`() async throws {
        let test = try await TestDatabase.current
        let app = try await TestApp.make(in: test.impatientDatabase)
        try await signUp(1, in: app)
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            let message = try #require(try await worker.claim().first)
            try await test.whileDown { worker.keep(await worker.deliver(message)) }
            try await worker.settle()

            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "waiting")
            #expect(entry.attemptCount == 0)
            app.clock.set(try #require(entry.dueAt))
            try await worker.drain()
            #expect(try await app.ledger().first?.state == "delivered")
        }
    }

    @Test(arguments: SigningAlgorithm.allCases)
    func `a due rotation makes one key of its algorithm and is settled with it`(_ algorithm: SigningAlgorithm)
        async throws
    {
        let app = try await TestApp.make()
        for number in 0..<2 { try await app.oweRotation(number, payload: #"{"algorithm": "\#(algorithm.rawValue)"}"#) }
        try await MailSink.running { sink in
            _ = try await app.worker(to: sink).drain()
        }

        let keys = try await app.database.batch(in: app.scope) { $0.signingKeys() }
        #expect(keys.map(\.state) == [.next] && keys.map(\.algorithm) == [algorithm])
        #expect(try await app.ledger().map(\.state) == ["delivered", "delivered"])
        #expect(try await app.ledger().map(\.attemptCount) == [0, 0])
    }

    @Test(arguments: [#"{"algorithm": "ES384"}"#, #"{"algorithm": "none"}"#, "{}"])
    func `a rotation to what this version does not know makes no key, and is not tried again`(_ payload: String)
        async throws
    {
        let app = try await TestApp.make()
        try await app.oweRotation(0, payload: payload)
        try await MailSink.running { sink in
            _ = try await app.worker(to: sink).drain()
        }

        #expect(try await app.database.batch(in: app.scope) { $0.signingKeys() }.isEmpty)
        #expect(try await app.ledger().map(\.state) == ["obsolete"])
    }

    @Test func `draining one app leaves another app's messages alone`() async throws {
        let clock = TestClock()
        let database = try await TestDatabase.current.database
        let app = try await TestApp.make(in: database, clock: clock)
        let other = try await TestApp.make(in: database, clock: clock)
        try await signUp(1, in: app)
        try await signUp(1, in: other)
        try await MailSink.running { sink in
            try await app.drainOutbox(to: sink)
        }

        #expect(try await app.ledger().map(\.state) == ["delivered"])
        #expect(try await other.ledger().map(\.state) == ["owed"])
    }
}

extension TestApp {
    /// Owes a rotation, as the job does.
    fileprivate func oweRotation(_ number: Int, payload: String) async throws {
        var message = OutboxMessage(
            id: newID(), kind: SigningKeyRotation.kind, lane: .notice, route: OutboxMessage.localRoute,
            createdAt: clock.now, expiresAt: clock.now + .days(1))
        message.payload = payload
        message.uniqueKey = "rotate \(number)"
        try await database.batch(in: scope) { [message] batch in batch.enqueue(message) }
    }
}
