import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Passwords
import Postgres
import TestSupport
import Testing

@Suite("Sign-up", .showsSeed)
struct SignUpFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("Ada@example.com")
    }

    private func start(
        _ test: TestFlows, _ email: EmailAddress? = nil, password: Secret = TestFlows.password
    ) async throws -> SignUpFlow.Outcome {
        try await test.flows.signUp.start(
            email ?? ada, password: password, in: test.scope, from: TestFlows.origin)
    }

    @Test func `a new address gets a user who can do nothing yet, and is owed a mail with the flow's link`()
        async throws
    {
        let test = try await TestFlows.make()

        let started = try await test.signUp(ada)

        let user = try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) })
        #expect(user.emailVerifiedAt == nil)
        #expect(user.email == "Ada@example.com")
        #expect(started.expiresAt == test.clock.now + .hours(24))
        let mail = try #require(try await test.app.ledger().first)
        #expect(mail.kind == "mail.verification")
        #expect(mail.flowID == started.flow && mail.userID == user.id)
        let ends = try await test.read("select expires_at from outbox where app_id = \(test.app.id)") {
            try $0.get("expires_at", as: Instant.self)
        }
        #expect(ends == [started.expiresAt - .minutes(1)])
        #expect(try await test.read("select user_id from credentials") { try $0.get("user_id", as: UserID.self) } == [])
    }

    @Test func `the database holds no secret of a flow`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let secrets = try #require(test.secrets(of: started.flow))

        let dump = try await test.read(
            """
            select f::text as row from flows as f
            union all select o::text from outbox as o union all select e::text from audit_events as e
            """
        ) { try $0.get("row", as: String.self) }.joined()

        for secret in [started.token.secret, secrets.linkToken.secret, secrets.code, TestFlows.password] {
            #expect(!dump.contains(secret.revealed))
        }
    }

    @Test func `a new, a waiting, a known and a deactivated address get the same answer`() async throws {
        let test = try await TestFlows.make()
        let addresses = try ["new", "waiting", "known", "gone"].map { try EmailAddress.of("\($0)@example.com") }
        _ = try await test.signUp(addresses[1])
        try await test.verifiedUser(addresses[2])
        try await test.deactivate(test.verifiedUser(addresses[3]))
        var mails: [Int64] = []

        for address in addresses {
            let before = try await test.rows()
            let started = try #require(try await start(test, address).started)
            let after = try await test.rows()

            #expect(started.expiresAt == test.clock.now + .hours(24))
            for table in ["flows", "audit_events", "rate_limits"] {
                #expect(after.changed(since: before).contains(table), "\(address)")
            }
            #expect(after.added(to: "flows", since: before) == 1)
            #expect(after.added(to: "credentials", since: before) == 0)
            let event = try #require(try await test.events().first { $0.flowID == started.flow })
            #expect(event.kind == "sign_up.started" && event.userID == nil && event.reason == nil)
            mails.append(after.added(to: "outbox", since: before))
        }

        // The waiting one's mail is not claimed yet, so the second merges with it.
        #expect(mails == [1, 0, 1, 0])
        #expect(try await test.app.ledger().filter { $0.kind == "mail.account_exists" }.count == 1)
    }

    @Test func `the flow of a known address has no user, so nothing can pass it`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)

        let started = try await test.signUp(ada)

        let users = try await test.read("select user_id from flows where id = \(started.flow)") {
            try $0.get("user_id", as: UserID?.self)
        }
        #expect(users == [nil])
    }

    @Test func `a new flow supersedes the one before`() async throws {
        let test = try await TestFlows.make()
        let first = try await test.signUp(ada)

        test.clock.advance(by: .seconds(1))
        let second = try await test.signUp(ada)

        let states = try await test.read(
            "select id, state, reason, ended_at from flows where app_id = \(test.app.id) order by created_at"
        ) { row in
            "\(try row.get("id", as: FlowID.self)) \(try row.get("state", as: String.self)) "
                + "\(try row.get("reason", as: String?.self) ?? "-")"
        }
        #expect(states == ["\(first.flow) refused superseded", "\(second.flow) pending -"])
    }

    @Test func `sign-ups before the mail is claimed owe one mail, for the newest flow`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.signUp(ada)

        let second = try await test.signUp(ada)

        let mails = try await test.app.ledger()
        #expect(mails.map(\.flowID) == [second.flow])
    }

    @Test func `an address in another case is the same user`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.signUp(ada)

        _ = try await test.signUp(.of("aDA@EXAMPLE.com"))

        let emails = try await test.read("select email from users") { try $0.get("email", as: String.self) }
        #expect(emails == ["ada@example.com"])
    }

    @Test func `one address in two apps is two users`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let mine = try await test.verifiedUser(ada)

        let theirs = try await other.verifiedUser(ada)

        #expect(mine != theirs)
        #expect(try await test.read("select id from users") { try $0.get("id", as: UserID.self) } == [mine])
    }
}
