import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import Synchronization
import TestSupport
import Testing

/// Twenty callers with one secret, round after round: one wins.
@Suite("Mail flows: races", .showsSeed)
struct MailFlowRaceTests {
    static let callers = 20

    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
    }

    private func tryCode(_ begun: StartedFlow, _ code: String? = nil) async throws -> [EmailSignInFlow.Outcome] {
        // Half of them at another node: only the database is shared.
        let nodes = [test, test.restarted()]
        let turn = Atomic(0)
        return try await race(Self.callers) {
            let node = nodes[turn.add(1, ordering: .relaxed).newValue % 2]
            return try await node.finishEmailSignIn(begun, code: code)
        }
    }

    private func tryLink(_ link: OneTimeToken, _ tokens: BrowserTokens) async throws -> [EmailSignInFlow.Outcome] {
        try await race(Self.callers) {
            try await test.flows.emailSignIn.confirm(link, by: tokens, in: test.scope, from: TestFlows.origin)
        }
    }

    /// better-auth #8067: one code was accepted by several parallel requests, and the count of tries was passed by.
    ///
    /// Found in review: each of the twenty was counted, so that the right code itself could use up the five tries.
    @Test func `abuse case 7: of twenty who type one code at once, one signs in, thirty times`() async throws {
        try await test.verifiedUser(ada)
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let outcomes = try await tryCode(try await test.beginEmailSignIn(ada))
            #expect(outcomes.count { $0.answer != nil } == 1)
            #expect(outcomes.compactMap(\.refusal?.code) == Array(repeating: .invalidFlow, count: Self.callers - 1))
        }
        let events = try await test.events().map(\.kind)
        #expect(events.count { $0 == "sign_in.passed" } == Race.rounds)
    }

    @Test func `of twenty wrong codes at once five are looked at, thirty times`() async throws {
        try await test.verifiedUser(ada)
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            // Who proves the mailbox ends the streak; without it these rounds alone would close the address.
            _ = try await test.reset(by: test.secrets(of: test.beginReset(ada).flow, .passwordReset).linkToken)
            let begun = try await test.beginEmailSignIn(ada)
            let right = test.secrets(of: begun.flow, .emailSignIn).code.revealed
            let codes = try await tryCode(begun, right.hasPrefix("0") ? "1" : "0").compactMap(\.refusal?.code)
            #expect(codes.count { $0 == .invalidCode } == 5)
            #expect(codes.count { $0 == .codeAttemptsExhausted } >= 1)
            #expect(try await test.finishEmailSignIn(begun).refusal?.code == .codeAttemptsExhausted)
        }
    }

    @Test func `of twenty clicks on one link, one signs in, thirty times`() async throws {
        try await test.verifiedUser(ada)
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let tokens = BrowserTokens(browser: .make(.browser, random: test.app.random), session: nil)
            let begun = try test.started(
                try await test.flows.emailSignIn.start(
                    ada, for: nil, by: tokens, locale: nil, in: test.scope, from: TestFlows.origin))
            let link = test.secrets(of: begun.flow, .emailSignIn).linkToken
            let outcomes = try await tryLink(link, tokens)
            #expect(outcomes.count { if case .ended = $0 { true } else { false } } == 1)
        }
        let sessions = try await test.read("select id from sessions where ended_at is null") {
            try $0.get("id", as: SessionID.self)
        }
        #expect(sessions.count == Race.rounds)
    }

    private func resetTwenty(_ link: OneTimeToken) async throws -> [PasswordResetFlow.Outcome] {
        try await race(Self.callers) { try await test.reset(by: link) }
    }

    @Test func `of twenty resets with one link, one changes the password, thirty times`() async throws {
        try await test.verifiedUser(ada)
        for _ in 0..<Race.rounds {
            test.clock.advance(by: .hours(1))
            let begun = try await test.beginReset(ada)
            let outcomes = try await resetTwenty(test.secrets(of: begun.flow, .passwordReset).linkToken)
            #expect(outcomes.count { $0.user != nil } == 1)
        }
        let events = try await test.events().map(\.kind)
        #expect(events.count { $0 == "password.changed" } == Race.rounds)
    }

    private func changeTwo(_ begun: [StartedFlow]) async throws -> [EmailChangeFlow.Outcome] {
        try await withThrowingTaskGroup(of: EmailChangeFlow.Outcome.self) { group in
            for flow in begun { group.addTask { try await test.finishEmailChange(flow) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func `two users who change to one address at once do not both get it`() async throws {
        let grace = try EmailAddress.of("grace@example.com")
        try await test.verifiedUser(ada)
        try await test.verifiedUser(grace)
        let wanted = try EmailAddress.of("shared@example.com")
        let first = try await test.beginEmailChange(for: test.asking(test.tokens(ada)), to: wanted)
        let second = try await test.beginEmailChange(for: test.asking(test.tokens(grace)), to: wanted)

        let outcomes = try await changeTwo([first, second])

        #expect(outcomes.count { $0.email != nil } == 1)
        #expect(outcomes.compactMap { $0.refusal?.code } == [.conflict])
    }
}
