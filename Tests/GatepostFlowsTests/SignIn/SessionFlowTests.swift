import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Which sessions an access token leads to, and when it no longer does.
@Suite("Session", .showsSeed)
struct SessionFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func signedIn() async throws -> (TestFlows, TokenAnswer) {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        return (test, try await test.tokens(ada))
    }

    private func refusal(_ test: TestFlows, _ answer: TokenAnswer) async throws -> ProblemCode? {
        try await test.flows.session.session(ofAccessToken: answer.accessToken.revealed, in: test.scope).refusal?.code
    }

    @Test func `an access token leads to its session and user, and reading that changes nothing`() async throws {
        let (test, answer) = try await signedIn()
        let before = try await test.rows()

        let session = try #require(try await test.session(answer))

        #expect(session.user.email == "ada@example.com" && session.clientID == test.app.client)
        #expect(try await test.rows() == before)
    }

    @Test func `a token lives for its ten minutes, to the second`() async throws {
        let (test, answer) = try await signedIn()

        test.clock.advance(by: .minutes(10) - .microseconds(1))
        #expect(try await refusal(test, answer) == nil)
        test.clock.advance(by: .microseconds(1))
        #expect(try await refusal(test, answer) == .invalidAccessToken)
    }

    @Test func `a session that idles for thirty days is over, with no sweep`() async throws {
        let (test, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))

        func isLive(at now: Instant) async throws -> Bool {
            try await test.database.batch(in: test.scope) { batch in
                batch.liveSession(session.id, of: session.user.id, at: now)
            } != nil
        }

        #expect(try await isLive(at: TestClock.start + .days(30) - .microseconds(1)))
        #expect(try await !isLive(at: TestClock.start + .days(30)))
    }

    @Test func `a session is over after ninety days however busy it was, with no sweep`() async throws {
        let (test, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))
        try await test.write("update sessions set idle_expires_at = 'infinity', last_used_at = 'infinity'")

        let (last, none) = try await test.database.batch(in: test.scope) { batch in
            batch.liveSession(session.id, of: session.user.id, at: session.expiresAt - .microseconds(1))
                .and(batch.liveSession(session.id, of: session.user.id, at: session.expiresAt))
        }

        #expect(last != nil && none == nil)
    }

    @Test func `an ended session is over although its token is still good elsewhere`() async throws {
        let (test, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))

        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)

        #expect(try await refusal(test, answer) == .sessionEnded)
    }

    @Test func `a raised epoch ends the session at once`() async throws {
        let (test, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))

        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: session.user.id) }

        #expect(try await refusal(test, answer) == .sessionEnded)
    }

    @Test func `a deactivated user has no session`() async throws {
        let (test, answer) = try await signedIn()
        let session = try #require(try await test.session(answer))

        try await test.deactivate(session.user.id)

        #expect(try await refusal(test, answer) == .sessionEnded)
    }

    @Test func `a token of another app is no token`() async throws {
        let (test, answer) = try await signedIn()
        let other = try await TestFlows.make()

        let outcome = try await other.flows.session.session(
            ofAccessToken: answer.accessToken.revealed, in: other.scope)

        #expect(outcome.refusal?.code == .invalidAccessToken)
        #expect(try await refusal(test, answer) == nil)
    }
}
