import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Sign-out", .showsSeed)
struct SignOutFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// A user with two devices.
    private func twoDevices() async throws -> (TestFlows, here: TokenAnswer, there: TokenAnswer) {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        return (test, try await test.tokens(ada), try await test.tokens(ada))
    }

    private func signOut(_ answer: TokenAnswer, _ test: TestFlows) async throws {
        let session = try #require(try await test.session(answer))
        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)
    }

    private func signOutEverywhere(_ answer: TokenAnswer, _ test: TestFlows) async throws {
        let session = try #require(try await test.session(answer))
        try await test.flows.signOut.signOutEverywhere(session, in: test.scope, from: TestFlows.origin)
    }

    @Test func `the session that asks ends, with a reason and an event, and no other`() async throws {
        let (test, here, there) = try await twoDevices()
        let session = try #require(try await test.session(here))
        let before = try await test.rows()

        try await signOut(here, test)

        #expect(try await test.rows().changed(since: before) == ["sessions", "token_families", "audit_events"])
        #expect(try await test.session(here) == nil)
        #expect(try await test.refresh(here.refreshToken) == nil)
        #expect(try await test.session(there) != nil)
        let event = try #require(try await test.events().first { $0.kind == "session.ended" })
        #expect(event.sessionID == session.id && event.reason == "signed_out" && event.actor == "user")
        let ended = try await test.read("select end_reason from sessions where ended_at = \(test.clock.now)") {
            try $0.get("end_reason", as: String.self)
        }
        #expect(ended == ["signed_out"])
    }

    @Test func `signing out twice keeps the first ending`() async throws {
        let (test, here, _) = try await twoDevices()
        let session = try #require(try await test.session(here))
        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)
        let before = try await test.rows()
        test.clock.advance(by: .minutes(1))

        try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)

        #expect(try await test.rows().changed(since: before) == ["audit_events"])
    }

    @Test func `everywhere means every device, every code that waits and every refresh token`() async throws {
        let (test, here, there) = try await twoDevices()
        let code = try await test.signIn(ada)

        try await signOutEverywhere(here, test)

        for answer in [here, there] {
            #expect(try await test.session(answer) == nil)
            #expect(try await test.refresh(answer.refreshToken) == nil)
        }
        #expect(try await test.exchange(code) == nil)
        let event = try #require(try await test.events().first { $0.kind == "user.signed_out_everywhere" })
        #expect(event.actor == "user" && event.userID != nil)
        let reasons = try await test.read("select end_reason from sessions") {
            try $0.get("end_reason", as: String?.self)
        }
        #expect(reasons == ["signed_out_everywhere", "signed_out_everywhere"])
        #expect(try await test.session(test.tokens(ada)) != nil)
    }

    @Test func `another user and another app go on`() async throws {
        let (test, here, _) = try await twoDevices()
        let grace = try EmailAddress.of("grace@example.com")
        try await test.verifiedUser(grace)
        let graces = try await test.tokens(grace)
        let other = try await TestFlows.make()
        try await other.verifiedUser(ada)
        let elsewhere = try await other.tokens(ada)

        try await signOutEverywhere(here, test)

        #expect(try await test.session(graces) != nil)
        #expect(try await other.session(elsewhere) != nil)
    }

    @Test func `signing out here and everywhere at once, and refreshing meanwhile, locks nobody out`() async throws {
        // Story: one way ended sessions before their families and the other families before their sessions, so two
        // sign-outs of one session could wait for each other until one failed.
        let (test, here, there) = try await twoDevices()
        let (session, other) = (try #require(try await test.session(here)), try #require(try await test.session(there)))

        let turn = Mutex(0)
        _ = try await race(24) {
            let mine = turn.withLock { turn in
                turn += 1
                return turn
            }
            switch mine % 3 {
            case 0: try await test.flows.signOut.signOut(session, in: test.scope, from: TestFlows.origin)
            case 1: try await test.flows.signOut.signOutEverywhere(other, in: test.scope, from: TestFlows.origin)
            default: _ = try await test.refresh(here.refreshToken)
            }
        }

        #expect(try await test.session(here) == nil)
        #expect(try await test.session(there) == nil)
    }
}
