import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Verification: resend", .showsSeed)
struct VerificationResendTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func resend(
        _ started: SignUpFlow.Started, startedBy token: OneTimeToken? = nil, _ test: TestFlows
    ) async throws -> Refusal? {
        try await test.flows.verification.resend(
            started.flow, startedBy: token ?? started.token, in: test.scope, from: TestFlows.origin)
    }

    /// Takes what is owed off the queue, as a worker does.
    private func claim(_ test: TestFlows) async throws {
        let turn = AppTurn(app: test.app.id, floor: TestClock.start)
        _ = try await test.database.system {
            $0.claim(.interactive, of: [turn], rowsPerApp: 10, leaseEnd: test.clock.now + .seconds(90))
        }
    }

    @Test func `once the mail is on its way another is owed, for the same flow and so with the same secrets`()
        async throws
    {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        try await claim(test)
        test.clock.advance(by: .minutes(5))

        #expect(try await resend(started, test) == nil)

        let mails = try await test.app.ledger()
        #expect(mails.map(\.kind) == ["mail.verification", "mail.verification"])
        #expect(mails.allSatisfy { $0.flowID == started.flow })
        let event = try #require(try await test.events().last)
        #expect(event.kind == "verification.resent" && event.flowID == started.flow)
        let ends = try await test.read("select distinct expires_at from outbox") {
            try $0.get("expires_at", as: Instant.self)
        }
        #expect(ends == [started.expiresAt - .minutes(1)])
    }

    @Test func `while the mail waits no second one is owed`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)

        #expect(try await resend(started, test) == nil)

        #expect(try await test.app.ledger().count == 1)
    }

    @Test func `a known address gets the same answer, and its owner another warning`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let started = try await test.signUp(ada)
        try await claim(test)
        test.clock.advance(by: .minutes(5))

        #expect(try await resend(started, test) == nil)

        #expect(try await test.app.ledger().first?.kind == "mail.account_exists")
        #expect(try await test.app.ledger().first?.flowID == nil)
    }

    @Test func `without the starter's token nothing is owed`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)

        try await test.expectRefusal(.verificationRefused, "invalid_flow") {
            let refusal = try await resend(started, startedBy: .make(.flow, random: test.app.random), test)
            #expect(refusal?.code == .invalidFlow)
        }
    }

    @Test func `a flow that is passed, superseded or expired is sent nothing more`() async throws {
        let test = try await TestFlows.make()
        let superseded = try await test.signUp(ada)
        let passed = try await test.signUp(ada)
        let expired = try await test.signUp(.of("grace@example.com"))
        _ = try await test.flows.verification.confirm(
            test.link(of: passed.flow), startedBy: passed.token, in: test.scope, from: TestFlows.origin)
        test.clock.set(expired.expiresAt)

        for flow in [superseded, passed, expired] {
            try await test.expectRefusal(.verificationRefused, "invalid_flow") {
                let found = try await resend(flow, test)?.code
                #expect(found == .invalidFlow)
            }
        }
    }

    @Test func `a flow is sent mail until the microsecond before it expires`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        test.clock.set(started.expiresAt - .microseconds(1))

        #expect(try await resend(started, test) == nil)
    }

    @Test func `the sign-up's mail and its repeats count together: five an hour`() async throws {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        for _ in 0..<4 { #expect(try await resend(started, test) == nil) }

        try await test.expectRefusal(.verificationRefused, "rate_limited", alsoChanging: ["rate_limits"]) {
            let found = try await resend(started, test)
            #expect(found?.code == .rateLimited && found?.retryAfter == .hours(1))
        }
        test.clock.advance(by: .hours(1))
        #expect(try await resend(started, test) == nil)
    }

    @Test func `a flow of one app is unknown in another`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let started = try await test.signUp(ada)

        let refusal = try await other.flows.verification.resend(
            started.flow, startedBy: started.token, in: other.scope, from: TestFlows.origin)

        #expect(refusal?.code == .invalidFlow)
        #expect(try await other.app.ledger().isEmpty)
    }
}
