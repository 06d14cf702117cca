import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Rotation, the repeat of a lost answer, and what counts as theft.
@Suite("Refresh", .showsSeed)
struct RefreshFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// A user with tokens.
    private func signedIn() async throws -> (TestFlows, TokenAnswer) {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        return (test, try await test.tokens(ada))
    }

    /// Expects that a token is taken as stolen: everything that descends from its sign-in ends.
    private func expectTheft(
        _ test: TestFlows, _ token: OneTimeToken, sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws {
        try await test.expectRefusal(
            .tokenRefused, "refresh_reused", alsoChanging: ["sessions", "token_families"], sourceLocation: location
        ) {
            let answer = try await test.refresh(token)
            #expect(answer == nil, sourceLocation: location)
        }
        let reasons = try await test.read(
            "select end_reason from sessions union all select end_reason from token_families"
        ) { try $0.get("end_reason", as: String?.self) }
        #expect(reasons == ["refresh_reused", "refresh_reused"], sourceLocation: location)
    }

    /// Expects that a token is refused and nothing ends by it.
    private func expectRefusal(
        _ test: TestFlows, _ token: OneTimeToken, _ reason: String = "invalid_grant", client: ClientID? = nil,
        sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws {
        try await test.expectRefusal(.tokenRefused, reason, sourceLocation: location) {
            let answer = try await test.refresh(token, client: client)
            #expect(answer == nil, sourceLocation: location)
        }
    }

    @Test func `a token is exchanged for its successor and a new access token of the same session`() async throws {
        let (test, first) = try await signedIn()
        let session = try #require(try await test.session(first))
        test.clock.advance(by: .minutes(9))

        let second = try #require(try await test.refresh(first.refreshToken))

        #expect(second.refreshToken.secret != first.refreshToken.secret)
        #expect(second.accessToken != first.accessToken)
        test.clock.advance(by: .minutes(9))
        let renewed = try #require(try await test.session(second))
        #expect(renewed.id == session.id && renewed.authenticatedAt == session.authenticatedAt)
        let event = try #require(try await test.events().last)
        #expect(event.kind == "token.refreshed" && event.sessionID == session.id && event.userID == session.user.id)
        #expect(event.clientID == test.app.client)
        #expect(try await test.refresh(second.refreshToken) != nil)
    }

    @Test func `a repeat within half a minute gets the same successor and changes nothing`() async throws {
        let (test, first) = try await signedIn()
        let second = try #require(try await test.refresh(first.refreshToken))
        let before = try await test.rows()

        for later in [Duration.zero, .seconds(30)] {
            test.clock.set(TestClock.start + later)
            let again = try #require(try await test.refresh(first.refreshToken))
            #expect(again.refreshToken.secret == second.refreshToken.secret)
            #expect(try await test.session(again) != nil)
        }

        #expect(try await test.rows() == before)
        #expect(try await test.refresh(second.refreshToken) != nil)
    }

    @Test func `a repeat a microsecond after half a minute is theft`() async throws {
        let (test, first) = try await signedIn()
        let second = try #require(try await test.refresh(first.refreshToken))

        test.clock.advance(by: .seconds(30) + .microseconds(1))
        try await expectTheft(test, first.refreshToken)

        #expect(try await test.session(second) == nil)
        try await expectRefusal(test, second.refreshToken)
    }

    @Test func `a repeat after its successor was used is theft, however soon`() async throws {
        let (test, first) = try await signedIn()
        let second = try #require(try await test.refresh(first.refreshToken))
        let third = try #require(try await test.refresh(second.refreshToken))

        try await expectTheft(test, first.refreshToken)

        try await expectRefusal(test, third.refreshToken)
    }

    @Test func `theft of a token is still seen by a process that has just started`() async throws {
        // Story (CVE-2026-9802): after a restart rotated refresh tokens worked again.
        let (test, first) = try await signedIn()
        _ = try await test.refresh(first.refreshToken)
        test.clock.advance(by: .minutes(1))

        try await expectTheft(test.restarted(), first.refreshToken)
    }

    @Test func `theft ends one session and leaves the user's others`() async throws {
        let (test, first) = try await signedIn()
        let other = try await test.tokens(ada)
        _ = try await test.refresh(first.refreshToken)
        test.clock.advance(by: .minutes(1))

        #expect(try await test.refresh(first.refreshToken) == nil)

        #expect(try await test.session(other) != nil)
        #expect(try await test.refresh(other.refreshToken) != nil)
    }

    @Test func `another client's try is refused and ends nothing`() async throws {
        let (test, first) = try await signedIn()
        let other: ClientID = test.app.newID()
        try await test.database.batch(in: test.scope) {
            $0.insertClient(other, named: "Other", redirectURIs: [], at: test.clock.now)
        }

        try await expectRefusal(test, first.refreshToken, "client_mismatch", client: other)
        let second = try #require(try await test.refresh(first.refreshToken))
        try await expectRefusal(test, first.refreshToken, "client_mismatch", client: other)
        #expect(try await test.refresh(second.refreshToken) != nil)
    }

    @Test func `a token of another app is unknown and stays good in its own`() async throws {
        let (test, first) = try await signedIn()
        let other = try await TestFlows.make()

        try await expectRefusal(other, first.refreshToken)
        try await expectRefusal(other, first.refreshToken, client: test.app.client)
        #expect(try await test.refresh(first.refreshToken) != nil)
    }

    @Test func `a token that was never issued is refused`() async throws {
        let (test, _) = try await signedIn()

        try await expectRefusal(test, .make(.refresh, random: test.app.random))
    }

    @Test func `of thirty-two racing exchanges all get one successor`() async throws {
        // Story (CVE-2026-1035): parallel refreshes with one token all succeeded, each with a family of its own.
        for _ in 1...Race.rounds {
            let (test, first) = try await signedIn()

            let answers = try await race(32) { try await test.refresh(first.refreshToken) }.compactMap(\.self)

            #expect(answers.count == 32)
            #expect(Set(answers.map(\.refreshToken.secret.revealed)).count == 1)
            #expect(try await test.rows().tables["refresh_tokens"]?.count == 2)
            #expect(try await test.events().count { $0.kind == "token.refreshed" } == 1)
            #expect(try await test.refresh(answers[0].refreshToken) != nil)
        }
    }

    @Test func `where a refresh races with a sign-out nothing that it gave can be used`() async throws {
        let (test, first) = try await signedIn()
        let session = try #require(try await test.session(first))

        async let signingOut: Void = test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)
        let answers = try await race(8) { try await test.refresh(first.refreshToken) }.compactMap(\.self)
        try await signingOut

        for answer in answers {
            #expect(try await test.session(answer) == nil)
            #expect(try await test.refresh(answer.refreshToken) == nil)
        }
    }
}
