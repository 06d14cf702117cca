import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import Synchronization
import TestSupport
import Testing

/// A sign-up is finished by the code in its mail, which only whoever began it can type.
@Suite("Verification: code", .showsSeed)
struct VerificationCodeTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// A flow that waits for its code.
    private struct Waiting {
        let test: TestFlows
        let started: SignUpFlow.Started
        let code: String

        /// A code that is not the flow's.
        var wrongCode: String { code.hasPrefix("0") ? "1" + code.dropFirst() : "0" + code.dropFirst() }

        func verify(
            _ code: String, startedBy token: OneTimeToken? = nil, in test: TestFlows? = nil
        ) async throws -> VerificationFlow.Outcome {
            try await (test ?? self.test).flows.verification.verify(
                started.flow, startedBy: token ?? started.token, code: code, in: (test ?? self.test).scope,
                from: TestFlows.origin)
        }

        /// Expects that a try is refused, with one event and at most the count of the try.
        func expectRefusal(
            _ code: String, _ reason: ProblemCode, isCounted: Bool, startedBy token: OneTimeToken? = nil,
            sourceLocation location: SourceLocation = #_sourceLocation
        ) async throws {
            try await test.expectRefusal(
                .verificationRefused, reason.rawValue,
                alsoChanging: reason == .invalidCode ? ["flows", "rate_limits"] : isCounted ? ["flows"] : [],
                sourceLocation: location
            ) {
                let refusal = try await verify(code, startedBy: token).refusal
                #expect(refusal?.code == reason, sourceLocation: location)
            }
        }
    }

    private func wait(_ test: TestFlows? = nil, _ email: String? = nil) async throws -> Waiting {
        let test = if let test { test } else { try await TestFlows.make() }
        let started = try await test.signUp(email.map { try .of($0) } ?? ada)
        return Waiting(
            test: test, started: started, code: try #require(test.secrets(of: started.flow)).code.revealed)
    }

    @Test func `the code opens the account`() async throws {
        let flow = try await wait()

        #expect(try await flow.verify(flow.code).verifiedUser != nil)
        _ = try await flow.test.signIn(ada)
    }

    @Test func `spaces and hyphens in a code do not count`() async throws {
        let flow = try await wait()

        #expect(try await flow.verify("\(flow.code.prefix(4))-\(flow.code.dropFirst(4)) ").verifiedUser != nil)
    }

    @Test func `after five wrong codes the right one is refused too`() async throws {
        let flow = try await wait()

        for _ in 0..<5 { try await flow.expectRefusal(flow.wrongCode, .invalidCode, isCounted: true) }

        try await flow.expectRefusal(flow.code, .codeAttemptsExhausted, isCounted: true)
        try await flow.expectRefusal(flow.code, .codeAttemptsExhausted, isCounted: false)
    }

    /// Found by the simulation: a connection that broke in between left a refused flow without its event.
    @Test func `the try that refuses a flow leaves its event in the same transaction`() async throws {
        let flow = try await wait()
        let superuser = try await TestDatabase.current.superuserPool()
        for _ in 0..<6 { _ = try await flow.verify(flow.wrongCode) }

        let rows = try await superuser.batch(
            [
                """
                select f.xmin::text as flow, (e.transaction_id::text::bigint % 4294967296)::text as event
                  from flows as f
                  join audit_events as e on e.app_id = f.app_id and e.flow_id = f.id
                 where f.app_id = \(flow.test.app.id) and e.reason = 'code_attempts_exhausted'
                """
            ], deadline: .seconds(10))[0]
        #expect(rows.count == 1)
        let row = try #require(rows.first)
        #expect(try row.get("flow", as: String.self) == row.get("event", as: String.self))
        await superuser.shutdown()
    }

    @Test func `the fifth try may be the right one`() async throws {
        let flow = try await wait()
        for _ in 0..<4 { _ = try await flow.verify(flow.wrongCode) }

        #expect(try await flow.verify(flow.code).verifiedUser != nil)
    }

    @Test func `of sixteen racing wrong codes five are compared`() async throws {
        // Story (better-auth #8067): parallel tries each read the counter before any had raised it.
        let flow = try await wait()

        let refusals = try await race(16) { try await flow.verify(flow.wrongCode).refusal?.code }

        #expect(refusals.count { $0 == .invalidCode } <= 5)
        #expect(refusals.count { $0 == .codeAttemptsExhausted } >= 11)
        #expect(try await flow.verify(flow.code).refusal?.code == .codeAttemptsExhausted)
    }

    /// Found in review: each of them was counted, so that the right code itself could use up the five tries.
    @Test func `of twenty racing right codes one wins, thirty times`() async throws {
        let test = try await TestFlows.make()
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let flow = try await wait(test, "\(test.clock.now.microseconds)@example.com")

            let outcomes = try await race(20) { try await flow.verify(flow.code) }

            #expect(outcomes.count { $0.verifiedUser != nil } == 1)
        }
        #expect(try await test.events().count { $0.kind == "user.verified" } == Race.rounds)
    }

    @Test func `a right code among racing wrong ones costs no try, and at most five wrong ones are compared`()
        async throws
    {
        let flow = try await wait()
        for _ in 0..<4 { _ = try await flow.verify(flow.wrongCode) }
        let turn = Atomic(0)

        let outcomes = try await race(16) {
            let isRight = turn.add(1, ordering: .relaxed).newValue.isMultiple(of: 2)
            return try await flow.verify(isRight ? flow.code : flow.wrongCode)
        }

        #expect(outcomes.count { $0.verifiedUser != nil } <= 1)
        #expect(outcomes.count { $0.refusal?.code == .invalidCode } <= 1)
    }

    @Test func `what the limits refuse is not compared and costs none of the five tries`() async throws {
        let flow = try await wait()
        for _ in 0..<20 { _ = try? await flow.test.signIn(ada, password: TestFlows.newPassword) }

        for _ in 0..<7 { #expect(try await flow.verify(flow.wrongCode).refusal?.code == .rateLimited) }

        flow.test.clock.advance(by: .hours(1))
        #expect(try await flow.verify(flow.code).verifiedUser != nil)
    }

    @Test func `without the starter's token nobody can try, nor use up a try`() async throws {
        let flow = try await wait()
        let stranger = OneTimeToken.make(.flow, random: flow.test.app.random)

        for _ in 0..<6 {
            try await flow.expectRefusal(flow.code, .invalidFlow, isCounted: false, startedBy: stranger)
        }

        #expect(try await flow.verify(flow.code).verifiedUser != nil)
    }

    @Test func `a code of another flow is wrong`() async throws {
        let flow = try await wait()
        let other = try await flow.test.signUp(.of("grace@example.com"))
        let theirs = try #require(flow.test.secrets(of: other.flow)).code.revealed

        try await flow.expectRefusal(theirs, .invalidCode, isCounted: true)
    }

    @Test func `a code is as old as its link: a day, to the microsecond`() async throws {
        let (early, late) = (try await wait(), try await wait())

        early.test.clock.set(TestClock.start + .hours(24) - .microseconds(1))
        #expect(try await early.verify(early.code).verifiedUser != nil)
        late.test.clock.set(TestClock.start + .hours(24))
        try await late.expectRefusal(late.code, .invalidFlow, isCounted: false)
    }

    @Test func `a code works once`() async throws {
        let flow = try await wait()
        _ = try await flow.verify(flow.code)

        try await flow.expectRefusal(flow.code, .invalidFlow, isCounted: false)
    }

    @Test func `a superseded flow takes no code`() async throws {
        let flow = try await wait()
        _ = try await flow.test.signUp(ada)

        try await flow.expectRefusal(flow.code, .invalidFlow, isCounted: false)
    }

    @Test func `the code of a known address's flow never passes, and is counted like any other`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let flow = try await wait(test)

        for _ in 0..<5 { try await flow.expectRefusal(flow.code, .invalidCode, isCounted: true) }
        try await flow.expectRefusal(flow.code, .codeAttemptsExhausted, isCounted: true)
    }

    @Test func `a flow of one app is unknown in another`() async throws {
        let flow = try await wait()
        let other = try await TestFlows.make()
        let untouched = try await flow.test.rows()

        try await other.expectRefusal(.verificationRefused, "invalid_flow") {
            let found = try await flow.verify(flow.code, in: other).refusal?.code
            #expect(found == .invalidFlow)
        }

        #expect(try await flow.test.rows() == untouched)
    }

    @Test func `while one master key follows another the codes of both are taken`() async throws {
        let flow = try await wait()
        let both = try twoKeys(first: 2, second: 1)

        #expect(try await flow.verify(flow.code, in: flow.test.restarted(keys: both)).verifiedUser != nil)
    }

    @Test func `once a master key is retired its codes are dead`() async throws {
        let flow = try await wait()

        let outcome = try await flow.verify(flow.code, in: flow.test.restarted(keys: TestApp.testKeys(epoch: 2)))

        #expect(outcome.refusal?.code == .invalidFlow)
    }

    /// A key ring of two keys as `TestApp.testKeys` makes each of them.
    private func twoKeys(first: Int16, second: Int16) throws -> KeyRing {
        let entries = [first, second].map { epoch in
            let bytes = (0..<32).map { UInt8($0) ^ UInt8(truncatingIfNeeded: epoch) }
            return "\(epoch):\(Base64URL.encode(bytes))"
        }
        return try KeyRing(Secret(entries.joined(separator: ",")))
    }
}
