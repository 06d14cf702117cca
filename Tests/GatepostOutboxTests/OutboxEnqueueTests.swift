import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Outbox: enqueue", .showsSeed)
struct OutboxEnqueueTests {
    let ada: EmailAddress

    init() throws {
        ada = try #require(EmailAddress("Ada@example.com"))
    }

    @Test func `a sign-up of a new address owes a verification mail for its flow`() async throws {
        let app = try await TestApp.make()

        let signUp = try await app.signUp(ada)

        let owed = try #require(try await app.ledger().first)
        #expect(owed.kind == "mail.verification")
        #expect(owed.state == "owed")
        #expect(owed.flowID == signUp.flow)
        #expect(owed.userID != nil)
        #expect(owed.dueAt == app.clock.now)
    }

    @Test func `a sign-up with a verified address owes its owner a warning and no link`() async throws {
        let app = try await TestApp.make()
        try await app.verify(try await app.signUp(ada))
        app.clock.advance(by: .seconds(1))

        _ = try await app.signUp(ada)

        let owed = try #require(try await app.ledger().first)
        #expect(owed.kind == "mail.account_exists")
        #expect(owed.flowID == nil)
        #expect(owed.userID != nil)
    }

    @Test func `a sign-up with the address of a deactivated user owes nothing`() async throws {
        let app = try await TestApp.make()
        try await app.verify(try await app.signUp(ada))
        let owedBefore = try await app.ledger().count
        try await app.database.batch(in: app.scope) {
            $0.add("update users set state = 'deactivated', deactivated_at = now() where app_id = \(app.id)")
        }

        _ = try await app.signUp(ada)

        #expect(try await app.ledger().count == owedBefore)
    }

    @Test func `sign-ups before the first claim merge into one mail, which carries the newest flow`() async throws {
        let app = try await TestApp.make()
        _ = try await app.signUp(ada)
        app.clock.advance(by: .seconds(10))

        let newest = try await app.signUp(ada)

        let owed = try await app.ledger()
        #expect(owed.count == 1)
        #expect(owed.first?.flowID == newest.flow)
        let expiry = try await app.database.batch(in: app.scope) { batch in
            batch.read("select expires_at from outbox where app_id = \(app.id)") {
                try $0.first?.get("expires_at", as: Instant.self)
            }
        }
        #expect(expiry == newest.expiresAt - Lifetimes.mailMargin)
    }

    @Test func `an app neither sees nor cancels what another app owes`() async throws {
        let (app, other) = (try await TestApp.make(), try await TestApp.make())
        _ = try await app.signUp(ada)
        let message = try #require(try await app.ledger().first).id

        let (seen, isCancelled) = try await other.database.batch(in: other.scope) { batch in
            batch.read("select id from outbox where app_id = \(app.id) or true") { $0.count }
                .and(batch.cancelMessage(message, reason: "test", at: other.clock.now))
        }

        #expect(seen == 0)
        #expect(!isCancelled)
        #expect(try await other.ledger().isEmpty)
        #expect(try await other.history(of: message) == nil)
        #expect(try await app.ledger().count == 1)
    }

    @Test func `a message of another app cannot be written`() async throws {
        let (app, other) = (try await TestApp.make(), try await TestApp.make())

        let error = await #expect(throws: PostgresError.self) {
            try await app.database.batch(in: app.scope) { batch in
                batch.add(
                    """
                    insert into outbox (app_id, id, kind, lane, route, ready, due_at, expires_at, payload, created_at)
                    values (\(other.id), \(app.newID(MessageID.self)), 'mail.verification', 'interactive', 'mail', true,
                            now(), now(), '{}', now())
                    """)
            }
        }
        #expect(error?.sqlState == "42501")
    }

    @Test func `what a transaction owed is not owed when it rolls back`() async throws {
        struct ChangeOfMind: Error {}
        let app = try await TestApp.make()
        let message = OutboxMessage(
            id: app.newID(), kind: VerificationMail.kind, lane: .bulk, route: "mail", createdAt: app.clock.now,
            expiresAt: app.clock.now + .hours(1))

        await #expect(throws: ChangeOfMind.self) {
            try await app.database.transaction(in: app.scope) { transaction in
                try await transaction.enqueue(message)
                throw ChangeOfMind()
            }
        }

        #expect(try await app.ledger().isEmpty)
    }
}
