import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A sign-up is finished by its mail's link: where it began, or elsewhere with a password of the owner's.
@Suite("Verification: link", .showsSeed)
struct VerificationLinkTests {
    let ada: EmailAddress
    let chosen = Secret("nine boats beside an amber jetty")

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func confirm(
        _ link: OneTimeToken, startedBy token: OneTimeToken, _ test: TestFlows
    ) async throws -> VerificationFlow.Outcome {
        try await test.flows.verification.confirm(link, startedBy: token, in: test.scope, from: TestFlows.origin)
    }

    private func confirm(
        _ link: OneTimeToken, choosing password: Secret, _ test: TestFlows
    ) async throws -> VerificationFlow.Outcome {
        try await test.flows.verification.confirm(link, choosing: password, in: test.scope, from: TestFlows.origin)
    }

    /// Expects that a link may be used in neither way, and that trying leaves an event each and nothing else.
    private func expectGone(
        _ link: OneTimeToken, startedBy token: OneTimeToken, _ test: TestFlows,
        sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws {
        let state = try await test.flows.verification.look(at: link, startedBy: token, in: test.scope)
        #expect(state.isGone, sourceLocation: location)
        try await test.expectRefusal(.verificationRefused, "invalid_link", sourceLocation: location) {
            let refusal = try await confirm(link, startedBy: token, test).refusal
            #expect(refusal?.code == .invalidLink, sourceLocation: location)
        }
        try await test.expectRefusal(.verificationRefused, "invalid_link", sourceLocation: location) {
            let refusal = try await confirm(link, choosing: chosen, test).refusal
            #expect(refusal?.code == .invalidLink, sourceLocation: location)
        }
    }

    @Test func `in the browser that began the sign-up, a click opens the account`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        test.clock.advance(by: .minutes(1))

        let outcome = try await confirm(test.link(of: started.flow), startedBy: started.token, test)

        let user = try #require(outcome.verifiedUser)
        let record = try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) })
        #expect(record.id == user && record.emailVerifiedAt == test.clock.now)
        let event = try #require(try await test.events().last)
        #expect(event.kind == "user.verified" && event.actor == "user")
        #expect(event.userID == user && event.flowID == started.flow)
        _ = try await test.signIn(ada)
    }

    @Test func `looking at a link changes nothing, however often scanners do`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)
        let stranger = OneTimeToken.make(.flow, random: test.app.random)
        let before = try await test.rows()

        for (holder, isStarter) in [(started.token, true), (stranger, false), (nil, false)] {
            let state = try await test.flows.verification.look(at: link, startedBy: holder, in: test.scope)
            guard case .standing(let email, let found) = state else {
                Issue.record("the link is gone")
                continue
            }
            #expect(email == "ada@example.com" && found == isStarter)
        }

        #expect(try await test.rows() == before)
    }

    @Test func `a link opened elsewhere gives the account the owner's password, and the starter's is dead`()
        async throws
    {
        // Story (pre-hijack, GHSA-qq9h-g4jm-xgf3): somebody signs up with a stranger's address; once its owner has
        // followed the link, the password that came with the sign-up must open nothing.
        let test = try await TestFlows.make()
        let hijack = try await test.signUp(ada)

        let outcome = try await confirm(test.link(of: hijack.flow), choosing: chosen, test)

        #expect(outcome.verifiedUser != nil)
        _ = try await test.signIn(ada, password: chosen)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        let code = try #require(test.secrets(of: hijack.flow)).code.revealed
        let late = try await test.flows.verification.verify(
            hijack.flow, startedBy: hijack.token, code: code, in: test.scope, from: TestFlows.origin)
        #expect(late.refusal?.code == .invalidFlow)
    }

    @Test func `a hijacker's later sign-up does not get the owner's click`() async throws {
        let test = try await TestFlows.make()
        let owner = try await test.signUp(ada, password: chosen)
        let hijack = try await test.signUp(ada)

        // The one mail that is owed carries the newest flow; the owner's browser holds the token of the older.
        let refused = try await confirm(test.link(of: hijack.flow), startedBy: owner.token, test)
        #expect(refused.refusal?.code == .invalidLink)
        let outcome = try await confirm(test.link(of: hijack.flow), choosing: chosen, test)

        #expect(outcome.verifiedUser != nil)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
    }

    @Test func `with another browser's token the click is refused and the link stays`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)

        try await test.expectRefusal(.verificationRefused, "invalid_link") {
            let outcome = try await confirm(link, startedBy: .make(.flow, random: test.app.random), test)
            #expect(outcome.refusal?.code == .invalidLink)
        }
        #expect(try await confirm(link, startedBy: started.token, test).verifiedUser != nil)
    }

    @Test func `a weak password is refused and the link stays`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)

        let event = try await test.expectRefusal(.verificationRefused, "weak_password") {
            let found = try await confirm(link, choosing: Secret("short"), test).refusal?.code
            #expect(found == .weakPassword)
        }
        #expect(event?.flowID == started.flow)
        #expect(try await confirm(link, choosing: chosen, test).verifiedUser != nil)
    }

    @Test func `a link works once`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)
        _ = try await confirm(link, startedBy: started.token, test)

        try await expectGone(link, startedBy: started.token, test)
        #expect(try await test.signIn(ada).hash.count == 32)
    }

    @Test func `of sixteen racing clicks one wins`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)

        let outcomes = try await race(16) { try await confirm(link, startedBy: started.token, test) }

        #expect(outcomes.count { $0.verifiedUser != nil } == 1)
        let events = try await test.events().map(\.kind)
        #expect(events.count { $0 == "user.verified" } == 1)
        #expect(events.count { $0 == "verification.refused" } == 15)
    }

    @Test func `where a click races with a password chosen elsewhere, the account has the winner's password`()
        async throws
    {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)

        async let click = confirm(link, startedBy: started.token, test)
        async let choice = confirm(link, choosing: chosen, test)
        let (clicked, chose) = (try await click.verifiedUser, try await choice.verifiedUser)

        #expect((clicked == nil) != (chose == nil))
        _ = try await test.signIn(ada, password: clicked == nil ? chosen : TestFlows.password)
    }

    @Test func `a link lives until the microsecond before its day is over, with no sweep`() async throws {
        let test = try await TestFlows.make()
        let (early, late) = (try await test.signUp(ada), try await test.signUp(.of("grace@example.com")))

        test.clock.set(TestClock.start + .hours(24) - .microseconds(1))
        #expect(try await confirm(test.link(of: early.flow), startedBy: early.token, test).verifiedUser != nil)
        test.clock.set(TestClock.start + .hours(24))
        try await expectGone(test.link(of: late.flow), startedBy: late.token, test)
    }

    @Test func `a superseded link is gone`() async throws {
        let test = try await TestFlows.make()
        let first = try await test.signUp(ada)
        _ = try await test.signUp(ada)

        try await expectGone(test.link(of: first.flow), startedBy: first.token, test)
    }

    @Test func `the link of a known address's flow never passes, although it can be derived`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)

        let started = try await test.signUp(ada, password: chosen)

        try await expectGone(test.link(of: started.flow), startedBy: started.token, test)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada, password: chosen) }
    }

    @Test func `a user who was deactivated meanwhile is not verified`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let user = try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) })

        try await test.deactivate(user.id)

        try await expectGone(test.link(of: started.flow), startedBy: started.token, test)
    }

    @Test func `a link from before the epoch was raised is gone`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let user = try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) })

        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user.id) }

        try await expectGone(test.link(of: started.flow), startedBy: started.token, test)
    }

    @Test func `a link of one app opens nothing in another`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let started = try await test.signUp(ada)
        _ = try await other.signUp(ada)
        let untouched = try await test.rows()

        try await expectGone(test.link(of: started.flow), startedBy: started.token, other)

        #expect(try await test.rows() == untouched)
    }
}
