import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// How long refresh tokens live, and what ends them before.
@Suite("Refresh: limits", .showsSeed)
struct RefreshLimitTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func signedIn() async throws -> (TestFlows, UserID, TokenAnswer) {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        return (test, user, try await test.tokens(ada))
    }

    private func expectInvalidGrant(
        _ test: TestFlows, _ token: OneTimeToken, sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws {
        try await test.expectRefusal(.tokenRefused, "invalid_grant", sourceLocation: location) {
            let answer = try await test.refresh(token)
            #expect(answer == nil, sourceLocation: location)
        }
    }

    @Test func `a token may lie unused for thirty days less a microsecond`() async throws {
        let (test, _, answer) = try await signedIn()

        test.clock.advance(by: .days(30) - .microseconds(1))

        #expect(try await test.refresh(answer.refreshToken) != nil)
    }

    @Test func `after thirty days unused a token is dead, with no sweep`() async throws {
        let (test, _, answer) = try await signedIn()

        test.clock.advance(by: .days(30))

        try await expectInvalidGrant(test, answer.refreshToken)
    }

    @Test func `use lengthens the idle time, never the ninety days`() async throws {
        let (test, _, first) = try await signedIn()
        var token = first.refreshToken
        for day in [29, 58, 87] {
            test.clock.set(TestClock.start + .days(Int64(day)))
            token = try #require(try await test.refresh(token)).refreshToken
        }

        test.clock.set(TestClock.start + .days(90) - .microseconds(1))
        token = try #require(try await test.refresh(token)).refreshToken
        test.clock.set(TestClock.start + .days(90))
        try await expectInvalidGrant(test, token)
    }

    @Test func `the grace window does not outlive the session`() async throws {
        let (test, _, first) = try await signedIn()
        var token = first.refreshToken
        for day in [29, 58, 87] {
            test.clock.set(TestClock.start + .days(Int64(day)))
            token = try #require(try await test.refresh(token)).refreshToken
        }
        test.clock.set(TestClock.start + .days(90) - .microseconds(1))
        _ = try await test.refresh(token)

        test.clock.set(TestClock.start + .days(90))

        #expect(try await test.refresh(token) == nil)
    }

    @Test func `a raised epoch kills every refresh token`() async throws {
        let (test, user, answer) = try await signedIn()
        let second = try #require(try await test.refresh(answer.refreshToken))

        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user) }

        try await expectInvalidGrant(test, second.refreshToken)
        // The repeat of the one before is not answered either.
        #expect(try await test.refresh(answer.refreshToken) == nil)
    }

    @Test func `a deactivated user refreshes nothing, also where the epoch stayed`() async throws {
        // Story (CVE-2023-22492): deactivated users kept refreshing.
        let (test, user, answer) = try await signedIn()

        try await test.write(
            "update users set state = 'deactivated', deactivated_at = \(test.clock.now) where id = \(user)")

        try await expectInvalidGrant(test, answer.refreshToken)
    }

    @Test func `a sign-out kills the session's tokens`() async throws {
        let (test, _, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))

        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)

        try await expectInvalidGrant(test, answer.refreshToken)
    }

    @Test func `a sign-out also kills the repeat of a lost answer, and keeps its own reason`() async throws {
        let (test, _, first) = try await signedIn()
        let second = try #require(try await test.refresh(first.refreshToken))
        let session = try #require(try await test.session(second))
        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)

        #expect(try await test.refresh(first.refreshToken) == nil)

        let reasons = try await test.read("select end_reason from sessions") {
            try $0.get("end_reason", as: String?.self)
        }
        #expect(reasons == ["signed_out"])
    }
}
