import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Code exchange", .showsSeed)
struct CodeExchangeFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// A user who has just signed in, and the code.
    private func signedIn() async throws -> (TestFlows, UserID, OneTimeToken) {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        return (test, user, try await test.signIn(ada))
    }

    /// Expects that an exchange is refused as if there were no such code.
    private func expectInvalidGrant(
        _ test: TestFlows, sourceLocation location: SourceLocation = #_sourceLocation,
        _ exchange: () async throws -> TokenAnswer?
    ) async throws {
        try await test.expectRefusal(.tokenRefused, "invalid_grant", sourceLocation: location) {
            let answer = try await exchange()
            #expect(answer == nil, sourceLocation: location)
        }
    }

    @Test func `a code is exchanged for a session, an access token and a refresh token`() async throws {
        let (test, user, code) = try await signedIn()
        let signedInAt = test.clock.now
        test.clock.advance(by: .seconds(2))

        let answer = try #require(try await test.exchange(code))

        #expect(answer.expiresIn == 600)
        let session = try #require(try await test.session(answer))
        #expect(session.user.id == user && session.clientID == test.app.client)
        #expect(session.amr == ["pwd"] && session.authenticatedAt == signedInAt)
        // A session is as old as the proof that it rests on.
        #expect(session.expiresAt == signedInAt + .days(90))
        let event = try #require(try await test.events().last)
        #expect(event.kind == "session.started" && event.sessionID == session.id && event.userID == user)
        let stored = try await test.read("select ip, user_agent from sessions where id = \(session.id)") { row in
            [try row.get("ip", as: String?.self), try row.get("user_agent", as: String?.self)]
        }
        #expect(stored == [["192.0.2.7", "Test/1"]])
        #expect(try await test.refresh(answer.refreshToken) != nil)
    }

    @Test func `neither code nor tokens are in the database`() async throws {
        let (test, _, code) = try await signedIn()
        let answer = try #require(try await test.exchange(code))

        let dump = try await test.read(
            """
            select c::text as row from authorization_codes as c
            union all select t::text from refresh_tokens as t union all select s::text from sessions as s
            union all select e::text from audit_events as e
            """
        ) { try $0.get("row", as: String.self) }.joined()

        for secret in [code.secret, answer.accessToken, answer.refreshToken.secret] {
            #expect(!dump.contains(secret.revealed))
        }
    }

    @Test func `a wrong verifier is refused and does not spoil the code`() async throws {
        let (test, _, code) = try await signedIn()

        try await expectInvalidGrant(test) {
            try await test.exchange(code, verifier: "another-verifier-of-forty-three-characters-0")
        }
        #expect(try await test.exchange(code) != nil)
    }

    @Test func `another redirect URI is refused and does not spoil the code`() async throws {
        let (test, _, code) = try await signedIn()

        try await expectInvalidGrant(test) { try await test.exchange(code, redirectURI: TestFlows.redirectURI + "/") }
        #expect(try await test.exchange(code) != nil)
    }

    @Test func `another client is refused and does not spoil the code`() async throws {
        let (test, _, code) = try await signedIn()
        let other: ClientID = test.app.newID()
        let uri = try #require(RedirectURI(TestFlows.redirectURI))
        try await test.database.batch(in: test.scope) {
            $0.insertClient(other, named: "Other", redirectURIs: [uri], at: test.clock.now)
        }

        try await expectInvalidGrant(test) { try await test.exchange(code, client: other) }
        #expect(try await test.exchange(code) != nil)
    }

    @Test func `a code that was never issued is refused`() async throws {
        let (test, _, _) = try await signedIn()

        try await expectInvalidGrant(test) {
            try await test.exchange(.make(.authorizationCode, random: test.app.random))
        }
    }

    @Test func `a code of another app is unknown and stays good in its own`() async throws {
        let (test, _, code) = try await signedIn()
        let other = try await TestFlows.make()

        try await expectInvalidGrant(other) { try await other.exchange(code) }
        try await expectInvalidGrant(other) { try await other.exchange(code, client: test.app.client) }
        #expect(try await test.exchange(code) != nil)
    }

    @Test func `a code lives until the microsecond before its minute is over, with no sweep`() async throws {
        let (test, _, code) = try await signedIn()
        let late = try await test.signIn(ada)

        test.clock.advance(by: .seconds(60) - .microseconds(1))
        #expect(try await test.exchange(code) != nil)
        test.clock.advance(by: .microseconds(1))
        try await expectInvalidGrant(test) { try await test.exchange(late) }
    }

    @Test func `a code from before the epoch was raised gives nothing`() async throws {
        let (test, user, code) = try await signedIn()

        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user) }

        try await expectInvalidGrant(test) { try await test.exchange(code) }
    }

    @Test func `a user who was deactivated after the sign-in gets nothing`() async throws {
        let (test, user, code) = try await signedIn()

        try await test.write(
            "update users set state = 'deactivated', deactivated_at = \(test.clock.now) where id = \(user)")

        try await expectInvalidGrant(test) { try await test.exchange(code) }
    }

    @Test(arguments: [.zero, .seconds(59), .hours(23)] as [Duration])
    func `a second use is refused and ends what the first one gave, also much later`(_ later: Duration) async throws {
        let (test, user, code) = try await signedIn()
        let answer = try #require(try await test.exchange(code))
        let session = try #require(try await test.session(answer))
        test.clock.advance(by: later)

        let event = try await test.expectRefusal(
            .tokenRefused, "code_reused", alsoChanging: ["sessions", "token_families"]
        ) {
            let found = try await test.exchange(code)
            #expect(found == nil)
        }

        #expect(event?.sessionID == session.id && event?.userID == user)
        #expect(try await test.session(answer) == nil)
        #expect(try await test.refresh(answer.refreshToken) == nil)
        #expect(try await endReasons(test) == ["code_reused", "code_reused"])
    }

    @Test func `of fifty racing exchanges one is answered, and then everything is revoked`() async throws {
        // Story (supabase/auth #2612): the same code was exchanged twice in parallel, and both got tokens.
        for _ in 1...Race.rounds {
            let (test, _, code) = try await signedIn()

            let answers = try await race(50) { try await test.exchange(code) }.compactMap(\.self)

            let answer = try #require(answers.first)
            #expect(answers.count == 1)
            #expect(try await test.session(answer) == nil)
            #expect(try await test.refresh(answer.refreshToken) == nil)
            #expect(try await endReasons(test) == ["code_reused", "code_reused"])
            #expect(try await test.events().count { $0.kind == "session.started" } == 1)
            #expect(try await test.events().count { $0.reason == "code_reused" } == 49)
        }
    }

    /// Why the app's sessions and families ended; nil for one that has not.
    private func endReasons(_ test: TestFlows) async throws -> [String?] {
        try await test.read("select end_reason from sessions union all select end_reason from token_families") {
            try $0.get("end_reason", as: String?.self)
        }
    }
}
