import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// The mail that invites an admin: what it says, and when it is not sent.
@Suite("Invitation mail", .ownDatabase)
struct AdminInvitationMailTests {
    /// Writes an invitation and what it owes, as the flow does.
    private func invite(_ app: TestApp) async throws -> (user: UserID, flow: FlowID, scope: AppScope, link: String) {
        let (now, flow, user) = (app.clock.now, app.newID(FlowID.self), app.newID(UserID.self))
        let scope = try #require(try await app.database.scope(of: .gatepost))
        let email = try #require(EmailAddress("ada@example.com"))
        let secrets = FlowSecrets(app: .gatepost, flow: flow, kind: .adminInvitation, keys: app.keys)
        let new = NewInvitationFlow(
            id: flow, user: user, secrets: secrets, token: .make(.flow, random: app.random), createdAt: now,
            expiresAt: now + Lifetimes.adminInvitation)
        let message = AdminInvitationMail.message(
            id: app.newID(), flow: flow, user: user, recipientHash: app.keys.recipientHash(email, in: .gatepost),
            at: now, expiresAt: new.expiresAt)
        try await app.database.batch(in: scope) { batch in
            batch.insertUser(user, email: email, at: now)
            batch.insertInvitationFlow(new)
            batch.insertAdminInvitation(flow, AdminGrant(.support, in: app.id), by: nil)
            batch.enqueue(message)
        }
        return (
            user, flow, scope, "\(TestApp.baseURL)/apps/\(AppID.gatepost)/links/\(secrets.linkToken.secret.revealed)"
        )
    }

    @Test func `it says to what and where, and carries the link`() async throws {
        let app = try await TestApp.make(named: "Shop")
        try await MailSink.running { sink in
            let invited = try await invite(app)
            try await app.worker(to: sink).drain()
            let mail = CaughtMail(try #require(await sink.mails().first))
            #expect(mail.text.contains(invited.link))
            #expect(mail.text.contains("as support for Shop"))
            #expect(mail.text.contains("7 days"))
        }
    }

    @Test(arguments: [
        ("flow_refused", "update flows set state = 'refused', reason = 'superseded', ended_at = now()"),
        ("flow_expired", "update flows set expires_at = '2000-01-01'"),
        ("user_deactivated", "update users set state = 'deactivated', deactivated_at = now()"),
        ("address_changed", "update users set email = 'eve@example.com', email_entered = 'eve@example.com'"),
        ("auth_epoch_raised", "update users set auth_epoch = auth_epoch + 1"),
        ("secret_epoch_retired", "update flows set secret_epoch = 7"),
        ("invitation_missing", "delete from admin_invitations"),
    ])
    func `it is not sent once its purpose is gone`(_ reason: String, _ change: String) async throws {
        let app = try await TestApp.make()
        let superuser = try await TestDatabase.current.superuserPool()
        try await MailSink.running { sink in
            let invited = try await invite(app)
            try await superuser.batch([.trusted(change)], deadline: .seconds(10))

            try await app.worker(to: sink).drain()

            #expect(await sink.mails().isEmpty)
            let entries = try await app.database.batch(in: invited.scope) { $0.ledger(limit: 10, at: app.clock.now) }
            #expect(entries.map(\.state) == ["obsolete"] && entries.map(\.reason) == [reason])
        }
    }
}
