import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// What changed between owing a mail and sending it is found when it is sent.
@Suite("Checks at send time", .ownDatabase, .showsSeed)
struct SendTimeCheckTests {
    /// A change that makes a verification mail pointless or wrong.
    struct Change: Sendable, CustomTestStringConvertible {
        let reason: String
        let statement: @Sendable (TestApp, TestApp.SignUp) -> SQL

        var testDescription: String { reason }
    }

    static let changes = [
        Change(reason: "flow_missing") { app, signUp in
            "delete from flows where app_id = \(app.id) and id = \(signUp.flow)"
        },
        Change(reason: "flow_passed") { app, signUp in
            "update flows set state = 'passed', ended_at = now() where app_id = \(app.id) and id = \(signUp.flow)"
        },
        Change(reason: "flow_refused") { app, signUp in
            """
            update flows set state = 'refused', reason = 'superseded', ended_at = now()
             where app_id = \(app.id) and id = \(signUp.flow)
            """
        },
        Change(reason: "flow_expired") { app, signUp in
            "update flows set expires_at = \(app.clock.now) where app_id = \(app.id) and id = \(signUp.flow)"
        },
        Change(reason: "user_deactivated") { app, _ in
            "update users set state = 'deactivated', deactivated_at = now() where app_id = \(app.id)"
        },
        Change(reason: "address_verified") { app, _ in
            "update users set email_verified_at = now() where app_id = \(app.id)"
        },
        Change(reason: "address_changed") { app, _ in
            """
            update users set email = 'eve@example.com', email_entered = 'eve@example.com' where app_id = \(app.id)
            """
        },
        Change(reason: "auth_epoch_raised") { app, _ in
            "update users set auth_epoch = auth_epoch + 1 where app_id = \(app.id)"
        },
        Change(reason: "secret_epoch_retired") { app, _ in
            "update flows set secret_epoch = 7 where app_id = \(app.id)"
        },
        Change(reason: "user_missing") { app, signUp in
            "update flows set user_id = null where app_id = \(app.id) and id = \(signUp.flow)"
        },
    ]

    @Test(arguments: changes)
    func `a verification mail is not sent once its purpose is gone`(change: Change) async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        let superuser = try await TestDatabase.current.superuserPool()
        try await MailSink.running { sink in
            let signUp = try await app.signUp(ada)
            try await superuser.batch([change.statement(app, signUp)], deadline: .seconds(10))

            try await app.worker(to: sink).drain()

            #expect(await sink.mails().isEmpty)
            let entry = try #require(try await app.ledger().first)
            #expect(entry.state == "obsolete")
            #expect(entry.reason == change.reason)
            #expect(entry.attemptCount == 0)
        }
    }

    @Test func `a mail whose key epoch was retired is not sent`() async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        try await MailSink.running { sink in
            _ = try await app.signUp(ada)

            try await app.worker(to: sink, keys: try TestApp.testKeys(epoch: 2)).drain()

            #expect(await sink.mails().isEmpty)
            #expect(try await app.ledger().map(\.reason) == ["secret_epoch_retired"])
        }
    }

    @Test func `an app that is suspended sends nothing`() async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        let test = try await TestDatabase.current
        let superuser = try await test.superuserPool()
        try await MailSink.running { sink in
            _ = try await app.signUp(ada)
            try await superuser.batch(
                ["update apps set state = 'suspended', suspended_at = now() where id = \(app.id)"],
                deadline: .seconds(10))
            // A node remembers an app for a second; another one has not seen it yet.
            let elsewhere = try await TestApp.elsewhere(app, through: test.pool)

            try await elsewhere.worker(to: sink).drain()

            #expect(await sink.mails().isEmpty)
            #expect(try await app.ledger().map(\.state) == ["suppressed"])
            #expect(try await app.ledger().map(\.reason) == ["app_suspended"])
        }
    }

    @Test func `two sign-ups after the first claim send one dead mail less`() async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        try await MailSink.running { sink in
            let worker = try app.worker(to: sink)
            _ = try await app.signUp(ada)
            let first = try await worker.claim()
            app.clock.advance(by: .seconds(1))
            let newest = try await app.signUp(ada)
            for message in first { worker.keep(await worker.deliver(message)) }
            try await worker.drain()

            let mails = await sink.mails()
            #expect(mails.count == 1)
            #expect(mails.first?.text.contains(newest.secrets.code.revealed) == true)
            #expect(try await app.ledger().map(\.state) == ["delivered", "obsolete"])
        }
    }

    /// The simulation's first find: a worker that was stopped for a while after a claim sent what was cancelled since.
    @Test func `a mail that is cancelled after its claim is not sent`() async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        try await MailSink.running { sink in
            _ = try await app.signUp(ada)
            let worker = try app.worker(to: sink)
            let message = try #require(try await worker.claim().first)
            let isCancelled = try await app.database.batch(in: app.scope) {
                $0.cancelMessage(message.id, reason: "admin", at: app.clock.now)
            }
            app.clock.advance(by: .seconds(1))

            worker.keep(await worker.deliver(message))
            try await worker.settle()

            #expect(isCancelled)
            #expect(await sink.mails().isEmpty)
            #expect(try await app.ledger().map(\.state) == ["cancelled"])
            #expect(try await app.ledger().map(\.attemptCount) == [0])
        }
    }

    @Test func `a mail that is held after its claim is sent once it is released`() async throws {
        let app = try await TestApp.make()
        let ada = try #require(EmailAddress("ada@example.com"))
        try await MailSink.running { sink in
            _ = try await app.signUp(ada)
            let worker = try app.worker(to: sink)
            let message = try #require(try await worker.claim().first)
            _ = try await app.database.batch(in: app.scope) { $0.holdMessage(message.id, at: app.clock.now) }

            worker.keep(await worker.deliver(message))
            try await worker.drain()
            #expect(await sink.mails().isEmpty)
            #expect(try await app.ledger().map(\.state) == ["held"])

            _ = try await app.database.batch(in: app.scope) { $0.releaseMessage(message.id, at: app.clock.now) }
            try await worker.drain()
            #expect(await sink.mails().count == 1)
            #expect(try await app.ledger().map(\.state) == ["delivered"])
        }
    }
}
