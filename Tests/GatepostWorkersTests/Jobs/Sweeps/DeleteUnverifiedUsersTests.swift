import GatepostModel
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-unverified-users", .ownDatabase)
struct DeleteUnverifiedUsersTests {
    private let now = JobFixture.now
    private let edge = JobFixture.now - .days(30)

    /// Makes a user who came about at a time; their name is the local part of the address.
    @discardableResult
    private func insert(
        _ name: String, of app: JobFixture.App, createdAt: Instant? = nil, verifiedAt: Instant? = nil,
        state: String = "active", in fixture: JobFixture
    ) async throws -> UserID {
        let id: UserID = fixture.newID()
        try await fixture.execute(
            """
            insert into users (app_id, id, email, email_entered, email_verified_at, state, deactivated_at, auth_epoch,
                               created_at)
            values (\(app.id), \(id), \(name + "@x.test"), \(name + "@x.test"), \(verifiedAt), \(state),
                    \(state == "active" ? nil : now), 1, \(createdAt ?? edge - .days(1)))
            """)
        return id
    }

    private func insertFlow(of user: UserID, _ app: JobFixture.App, expiresAt: Instant, in fixture: JobFixture)
        async throws
    {
        try await fixture.execute(
            """
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash, link_hash,
                               code_hash, created_at, expires_at)
            values (\(app.id), gen_random_uuid(), 'sign_up', 'pending', \(user), 'x@x.test', 1, 1, '',
                    \(user.uuid.bytes), '', \(edge), \(expiresAt))
            """)
    }

    private func names(_ fixture: JobFixture) async throws -> [String] {
        try await fixture.texts(
            "select split_part(email, '@', 1) as text from users where email like '%@x.test' order by 1")
    }

    @Test func `a user goes a month after a sign-up that nobody finished, with an event, and no other one`()
        async throws
    {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let past = try await insert("past", of: one, createdAt: edge - .microseconds(1), in: fixture)
            try await insertFlow(of: past, one, expiresAt: now, in: fixture)
            try await insert("past", of: other, createdAt: edge - .days(400), in: fixture)
            try await insert("on-the-edge", of: one, createdAt: edge, in: fixture)
            try await insert("verified", of: one, verifiedAt: edge, in: fixture)
            try await insert("deactivated", of: one, state: "deactivated", in: fixture)
            let waiting = try await insert("waiting", of: one, in: fixture)
            try await insertFlow(of: waiting, one, expiresAt: now + .microseconds(1), in: fixture)

            let report = try await fixture.sweep("delete-unverified-users")

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(try await names(fixture) == ["deactivated", "on-the-edge", "verified", "waiting"])
            #expect(try await fixture.texts("select count(*)::text from flows where user_id = \(waiting)") == ["1"])
            #expect(try await fixture.texts("select count(*)::text from flows") == ["1"])
            #expect(try await fixture.events(of: one) == ["user.deleted job never_verified"])
            #expect(try await fixture.sweep("delete-unverified-users").rowCount == 0)
        }
    }

    @Test func `whoever came in without an address, or was given something, stays`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            let identity = try await insert("identity", of: app, in: fixture)
            let session = try await insert("session", of: app, in: fixture)
            let role = try await insert("role", of: app, in: fixture)
            let grant = try await insert("grant", of: app, in: fixture)
            try await insert("nothing", of: app, in: fixture)
            try await fixture.execute(
                """
                insert into user_identities (app_id, id, user_id, issuer, subject, created_at, last_used_at)
                values (\(app.id), gen_random_uuid(), \(identity), 'https://example.com', '1', \(edge), \(edge))
                """)
            try await fixture.execute(
                """
                insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, authenticated_at, created_at,
                                      last_used_at, idle_expires_at, expires_at)
                values (\(app.id), gen_random_uuid(), \(session), \(app.client), 1, '{fed}', \(edge), \(edge), \(edge),
                        \(now), \(now))
                """)
            try await fixture.execute(
                """
                with made as (
                       insert into roles (app_id, id, name, description, permissions, created_at, changed_at)
                       values (\(app.id), gen_random_uuid(), 'keeper', '', '{}', \(edge), \(edge))
                       returning id)
                insert into user_roles (app_id, user_id, role_id, assigned_at)
                select \(app.id), \(role), id, \(edge) from made
                """)
            try await fixture.execute(
                """
                insert into admin_grants (app_id, id, user_id, role, created_at)
                values (\(app.id), gen_random_uuid(), \(grant), 'auditor', \(edge))
                """)

            let report = try await fixture.sweep("delete-unverified-users")

            #expect(report.rowsByApp == [app.id: 1])
            #expect(try await names(fixture) == ["grant", "identity", "role", "session"])
        }
    }

    @Test func `a worker can change no user, and delete none who is verified`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp()
            try await insert("verified", of: app, verifiedAt: edge, in: fixture)
            try await insert("unverified", of: app, in: fixture)
            func asWorker(_ statement: SQL) async throws -> PostgresError? {
                do {
                    _ = try await fixture.database.systemTransaction { try await $0.query(statement) }
                    return nil
                } catch let error as PostgresError { return error }
            }
            let refused = try await asWorker("update users set locale = 'de'")
            #expect(refused?.sqlState == "42501")
            #expect(try await asWorker("delete from users where email like '%@x.test'") == nil)
            #expect(try await names(fixture) == ["verified"])
        }
    }
}
