import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What the flows owe an app's endpoints: once for each change, and nothing where nothing changed.
@Suite("Webhooks owed", .showsSeed)
struct WebhookOwingTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func notices(_ test: TestFlows) async throws -> [String] {
        try await test.read(
            """
            select concat_ws(' ', payload ->> 'type', payload -> 'data' ->> 'reason') as text
              from outbox where app_id = \(test.app.id) and kind = 'webhook.notice'
             order by created_at, 1
            """
        ) { try $0.get("text", as: String.self) }
    }

    private func admin(_ test: TestFlows) -> AdminRequest {
        AdminRequest(
            AdminPrincipal(.apiKey(test.app.newID(), madeBy: nil), grants: [AdminGrant(.admin, in: nil)]),
            from: TestFlows.origin)
    }

    @Test func `a sign-up is told once, to each endpoint that wants to know`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let wanting = try await test.app.addEndpoint("https://a.example.com/", [.userCreated, .userVerified])
        _ = try await test.app.addEndpoint("https://b.example.com/", [.userCreated])
        _ = try await test.app.addEndpoint("https://c.example.com/", [.userVerified])
        let disabled = try await test.app.addEndpoint("https://d.example.com/")
        try await test.database.batch(in: test.scope) { batch in
            _ = batch.disableWebhookEndpoint(disabled.id, .byAdmin, at: test.clock.now)
        }
        _ = try await other.app.addEndpoint()

        let started = try await test.signUp(ada)
        // Again while it waits, and again once it is verified: no user came about.
        test.clock.advance(by: .seconds(1))
        let again = try await test.signUp(ada)
        _ = started
        #expect(try await notices(test) == ["user.created", "user.created"])
        _ = try await test.flows.verification.confirm(
            test.link(of: again.flow), startedBy: again.token, in: test.scope, from: TestFlows.origin)
        _ = try await test.signUp(ada)

        #expect(
            try await notices(test) == ["user.created", "user.created", "user.verified", "user.verified"])
        #expect(try await notices(other) == [])
        let routes = try await test.read(
            """
            select route as text from outbox
             where app_id = \(test.app.id) and route = 'webhook ' || \(wanting.id)::uuid::text
               and payload -> 'data' ->> 'email' = 'ada@example.com'
               and payload -> 'data' ->> 'user_id' = user_id::text
            """
        ) { try $0.get("text", as: String.self) }
        #expect(routes.count == 2)
    }

    @Test func `racing sign-ups of one new address are told once`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.app.addEndpoint()

        _ = try await race(4) { try await test.signUp(ada) }

        #expect(try await notices(test) == ["user.created"])
    }

    @Test func `racing clicks on one link, and racing sign-outs of one session, are told once`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        _ = try await test.app.addEndpoint()
        let link = try test.link(of: started.flow)

        let outcomes = try await race(6) {
            try await test.flows.verification.confirm(
                link, startedBy: started.token, in: test.scope, from: TestFlows.origin)
        }
        #expect(outcomes.count == 6)
        #expect(try await notices(test) == ["user.verified"])
        let session = try #require(try await test.session(try await test.tokens(ada)))
        test.clock.advance(by: .seconds(1))
        _ = try await race(6) {
            try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)
        }

        #expect(try await notices(test) == ["user.verified", "session.ended signed_out"])
    }

    @Test func `a change that is taken back is not told`() async throws {
        struct ChangedMyMind: Error {}
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        _ = try await test.app.addEndpoint()

        await #expect(throws: ChangedMyMind.self) {
            try await test.database.transaction(in: test.scope) { transaction in
                try await transaction.batch { $0.owe(.userDeactivated, about: user, at: test.clock.now) }
                throw ChangedMyMind()
            }
        }

        #expect(try await notices(test) == [])
    }

    @Test func `a refused verification tells nothing`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.app.addEndpoint("https://a.example.com/", [.userVerified])
        let started = try await test.signUp(ada)

        _ = try await test.flows.verification.verify(
            started.flow, startedBy: started.token, code: "00000000", in: test.scope, from: TestFlows.origin)

        #expect(try await notices(test) == [])
    }

    @Test func `signing out here and everywhere is told once a session, with its reason`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let here = try #require(try await test.session(try await test.tokens(ada)))
        for _ in 1...2 { _ = try await test.tokens(ada) }
        _ = try await test.app.addEndpoint()

        for _ in 1...2 { try await test.flows.signOut.signOut(here, in: test.scope, from: TestFlows.origin) }
        #expect(try await notices(test) == ["session.ended signed_out"])
        for _ in 1...2 {
            try await test.flows.signOut.signOutEverywhere(here, in: test.scope, from: TestFlows.origin)
        }

        #expect(
            try await notices(test) == [
                "session.ended signed_out", "session.ended signed_out_everywhere",
                "session.ended signed_out_everywhere",
            ])
        let sessions = try await test.read(
            """
            select count(distinct payload -> 'data' ->> 'session_id')::int as count from outbox
             where app_id = \(test.app.id) and payload -> 'data' ->> 'client_id' = \(test.app.client)::uuid::text
            """
        ) { try $0.get("count", as: Int.self) }
        #expect(sessions == [3])
    }

    @Test func `a session that a stolen secret ended is told once, however often it is tried`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let code = try await test.signIn(ada)
        _ = try #require(try await test.exchange(code))
        let tokens = try await test.tokens(ada)
        _ = try #require(try await test.refresh(tokens.refreshToken))
        _ = try await test.app.addEndpoint()
        test.clock.advance(by: Lifetimes.refreshGrace + .seconds(1))

        for _ in 1...2 {
            #expect(try await test.exchange(code) == nil)
            #expect(try await test.refresh(tokens.refreshToken) == nil)
        }

        #expect(try await notices(test) == ["session.ended code_reused", "session.ended refresh_reused"])
    }

    @Test func `a deactivation is told with the sessions that it ended, and cancels no notice`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.app.addEndpoint()
        let user = try await test.verifiedUser(ada)
        for _ in 1...2 { _ = try await test.tokens(ada) }
        let before = try await notices(test)
        test.clock.advance(by: .seconds(1))

        for _ in 1...2 {
            _ = try await test.flows.admin.users.deactivate(user, note: nil, for: admin(test), in: test.scope)
        }
        let ended = "session.ended user_deactivated"
        #expect(before == ["user.created", "user.verified"])
        #expect(try await notices(test) == before + [ended, ended, "user.deactivated"])
        test.clock.advance(by: .seconds(1))
        for _ in 1...2 {
            _ = try await test.flows.admin.users.reactivate(user, note: nil, for: admin(test), in: test.scope)
        }

        #expect(try await notices(test) == before + [ended, ended, "user.deactivated", "user.reactivated"])
    }

    @Test func `a notice outlives its last retry and carries no secret`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.app.addEndpoint()
        try await test.verifiedUser(ada)

        let payloads = try await test.read(
            """
            select payload::text as text from outbox
             where app_id = \(test.app.id) and kind = 'webhook.notice'
               and expires_at = created_at + interval '5 days'
            """
        ) { try $0.get("text", as: String.self) }

        #expect(payloads.count == 2 && Lifetimes.webhookNotice == .days(5))
        #expect(payloads.allSatisfy { !$0.contains("gfl_") && !$0.contains("glk_") && !$0.contains("argon2") })
    }
}
