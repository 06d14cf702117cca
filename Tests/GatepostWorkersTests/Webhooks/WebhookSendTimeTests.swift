import GatepostDelivery
import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// What changed between owing a notice and sending it, and who must not get it.
@Suite("Webhooks at send time", .ownDatabase, .showsSeed, .timeLimit(.minutes(5)))
struct WebhookSendTimeTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("ada@example.com"))
    }

    private func withTransport(_ body: (HTTPTransport) async throws -> Void) async throws {
        let transport = try TestApp.loopbackTransport()
        do {
            try await body(transport)
        } catch {
            await transport.shutdown()
            throw error
        }
        await transport.shutdown()
    }

    @Test(arguments: [
        ("delete from webhook_endpoints", "obsolete", "endpoint_missing"),
        (
            "update webhook_endpoints set state = 'disabled', disabled_reason = 'by_admin', disabled_at = now()",
            "obsolete", "endpoint_disabled"
        ),
        ("update apps set state = 'suspended', suspended_at = now()", "suppressed", "app_suspended"),
        ("update outbox set payload = '{}'", "obsolete", "notice_unreadable"),
    ])
    func `a notice is not sent once there is nobody to have it`(
        statement: String, state: String, reason: String
    ) async throws {
        let app = try await TestApp.make()
        let test = try await TestDatabase.current
        let superuser = try await test.superuserPool()
        try await withTransport { transport in
            try await HTTPSink.running { sink in
                _ = try await app.addEndpoint(sink.url())
                try await app.owe(.userCreated, email: ada)
                try await superuser.batch([.trusted(statement)], deadline: .seconds(10))
                // A node remembers an app for a second; another one has not seen it yet.
                let elsewhere = try await TestApp.elsewhere(app, through: test.pool)

                try await elsewhere.webhookWorker(transport).drain()

                #expect(sink.connectionCount == 0)
                let entry = try #require(try await app.ledger().first)
                #expect(entry.state == state && entry.reason == reason && entry.attemptCount == 0)
            }
        }
    }

    @Test func `a notice that was cancelled while it was under way is shown as cancelled, but sent`() async throws {
        let app = try await TestApp.make()
        try await withTransport { transport in
            try await HTTPSink.running({ _ in [.stall] + HTTPSink.answer(410) }) { sink in
                let endpoint = try await app.addEndpoint(sink.url())
                try await app.owe(.userCreated, email: ada)
                let worker = app.webhookWorker(transport)
                let message = try #require(try await worker.claim().first)
                async let settlement = worker.deliver(message)
                try await sink.waitForRequests(count: 1)
                let cancelled = try await app.database.batch(in: app.scope) {
                    $0.cancelMessage(message.id, reason: "asked", at: app.clock.now)
                }

                sink.release()
                worker.keep(await settlement)
                try await worker.settle()

                let entry = try #require(try await app.ledger().first)
                #expect(cancelled && sink.requests.count == 1)
                #expect(entry.state == "cancelled" && entry.lastCode == 410)
                // The end was somebody's decision; the endpoint says so again with the next notice.
                let record = try await app.database.batch(in: app.scope) {
                    $0.webhookEndpoint(endpoint.id, at: app.clock.now)
                }
                #expect(record?.isEnabled == true)
            }
        }
    }

    @Test func `a worker that was too slow disables nothing and settles nothing`() async throws {
        let app = try await TestApp.make()
        try await withTransport { transport in
            try await HTTPSink.running({ _ in [.stall] + HTTPSink.answer(410) }) { sink in
                _ = try await app.addEndpoint(sink.url())
                try await app.owe(.userCreated, email: ada)
                let (slow, other) = (app.webhookWorker(transport), app.webhookWorker(transport))
                let message = try #require(try await slow.claim().first)
                async let settlement = slow.deliver(message)
                try await sink.waitForRequests(count: 1)
                app.clock.advance(by: slow.settings.lease + .seconds(1))
                let taken = try #require(try await other.claim().first)
                #expect(taken.id == message.id && taken.claimNumber == 2)

                sink.release()
                slow.keep(await settlement)
                try await slow.settle()

                let entry = try #require(try await app.ledger().first)
                #expect(sink.requests.count == 1 && entry.state == "waiting" && entry.attemptCount == 0)
            }
        }
    }

    @Test func `the endpoints of two apps never mix`() async throws {
        let (one, other) = (try await TestApp.make(), try await TestApp.make())
        try await withTransport { transport in
            try await HTTPSink.running { sink in
                let first = try await one.addEndpoint(sink.url("/one"))
                let second = try await other.addEndpoint(sink.url("/other"))
                let users = (
                    try await one.owe(.userCreated, email: ada), try await other.owe(.userCreated, email: ada)
                )

                try await one.webhookWorker(transport).drain()

                let requests = sink.requests.sorted { $0.target < $1.target }
                #expect(requests.map(\.target) == ["/one", "/other"])
                for (request, app, endpoint, user) in [
                    (requests[0], one, first, users.0), (requests[1], other, second, users.1),
                ] {
                    let text = String(decoding: request.body, as: UTF8.self)
                    #expect(text.contains("\(app.id)") && text.contains("\(user)"))
                    let signature = WebhookSignature(
                        of: request.body, id: request.header("webhook-id") ?? "", at: one.clock.now,
                        secrets: [endpoint.secret])
                    #expect(request.header("webhook-signature") == signature.signatures)
                }
                let ledgers = [try await one.ledger(), try await other.ledger()]
                #expect(ledgers.map(\.count) == [1, 1])
            }
        }
    }

    @Test func `the sealed secret of another row signs nothing`() async throws {
        let app = try await TestApp.make()
        let superuser = try await TestDatabase.current.superuserPool()
        try await withTransport { transport in
            try await HTTPSink.running { sink in
                let target = try await app.addEndpoint(sink.url())
                let other = try await app.addEndpoint("https://hooks.example.com/", [.sessionEnded])
                try await superuser.batch(
                    [
                        """
                        update webhook_secrets set secret_sealed =
                          (select secret_sealed from webhook_secrets where id = \(other.secretID))
                         where id = \(target.secretID)
                        """
                    ], deadline: .seconds(10))
                try await app.owe(.userCreated, email: ada)

                try await app.webhookWorker(transport).drain()

                #expect(sink.connectionCount == 0)
                let entry = try #require(try await app.ledger().first)
                #expect(entry.state == "waiting" && entry.attemptCount == 0)
            }
        }
    }

    @Test func `while a secret is being replaced both sign, afterwards the new one alone`() async throws {
        let app = try await TestApp.make()
        try await withTransport { transport in
            try await HTTPSink.running { sink in
                let endpoint = try await app.addEndpoint(sink.url())
                let (newID, new): (WebhookSecretID, _) = (app.newID(), WebhookSecret.make(random: app.random))
                let sealed = SealedWebhookSecret(
                    id: newID, sealed: try new.sealed(as: newID, in: app.id, keys: app.keys))
                try await app.database.batch(in: app.scope) { batch in
                    batch.replaceWebhookSecret(of: endpoint.id, expiresAt: app.clock.now + .hours(24))
                    batch.insertWebhookSecret(sealed, of: endpoint.id, at: app.clock.now)
                }
                for wait: Duration in [.hours(24) - .seconds(1), .seconds(1)] {
                    app.clock.advance(by: wait)
                    try await app.owe(
                        .userCreated, email: try #require(EmailAddress("a\(app.clock.now.seconds)@b.example")))
                    try await app.webhookWorker(transport).drain()
                }

                let expected = [[new, endpoint.secret], [new]]
                for (request, secrets) in zip(sink.requests, expected) {
                    let second = try #require(request.header("webhook-timestamp").flatMap { Int64($0) })
                    let signature = WebhookSignature(
                        of: request.body, id: request.header("webhook-id") ?? "", at: Instant(seconds: second),
                        secrets: secrets)
                    #expect(request.header("webhook-signature") == signature.signatures)
                }
                #expect(sink.requests.count == 2)
            }
        }
    }

    @Test func `an endpoint that hangs takes no more than its share, and another one is served beside it`() async throws
    {
        let app = try await TestApp.make()
        try await withTransport { transport in
            let answer: @Sendable (HTTPSink.Request) -> [HTTPSink.Step] = { request in
                request.target == "/slow" ? [.stall] + HTTPSink.answer() : HTTPSink.answer()
            }
            try await HTTPSink.running(answer) { sink in
                _ = try await app.addEndpoint(sink.url("/slow"), [.userCreated])
                _ = try await app.addEndpoint(sink.url("/fast"), [.userVerified])
                for number in 1...6 {
                    try await app.owe(.userCreated, email: try #require(EmailAddress("u\(number)@example.com")))
                }
                try await app.owe(.userVerified, email: ada)
                let worker = app.webhookWorker(transport)
                let claimed = try await worker.claim()
                #expect(claimed.count == 7)

                let doneCount = Watched(0)
                async let settlements = withTaskGroup(of: Settlement?.self) { group in
                    for message in claimed {
                        group.addTask {
                            defer { doneCount.update { $0 += 1 } }
                            return await worker.deliver(message)
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                // Four wait at the slow one, the fast one is done, and two were handed back without a try.
                try await sink.waitForRequests(count: 5)
                try await doneCount.wait(within: .seconds(30)) { $0 == 3 ? () : nil }
                sink.release()
                for settlement in await settlements { worker.keep(settlement) }
                try await worker.settle()

                #expect(sink.requests.count { $0.target == "/slow" } == 4)
                let states = try await app.ledger().map(\.state)
                #expect(states.count { $0 == "delivered" } == 5 && states.count { $0 == "waiting" } == 2)
                #expect(try await app.ledger().filter { $0.state == "waiting" }.map(\.attemptCount) == [0, 0])
            }
        }
    }
}
