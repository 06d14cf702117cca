import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// A sign-in by mail, by its code: what it proves, for whom, and when it no longer does.
@Suite("Sign-in by mail: code", .showsSeed)
struct EmailSignInFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    @Test func `the code signs in, and the session says how`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let begun = try await test.beginEmailSignIn(ada)
        #expect(begun.expiresAt == test.clock.now + .minutes(10))

        let answer = try #require(try await test.finishEmailSignIn(begun).answer)

        #expect(answer.redirectURI == TestFlows.redirectURI)
        let tokens = try #require(try await test.exchange(answer.code))
        let session = try #require(try await test.session(tokens))
        #expect(session.user.id == user && session.amr == ["otp"])
        let events = try await test.events().map(\.kind)
        #expect(events.contains("email_sign_in.started") && events.count { $0 == "sign_in.passed" } == 1)
    }

    @Test func `spaces and hyphens in a typed code do not count`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let begun = try await test.beginEmailSignIn(ada)
        let code = test.secrets(of: begun.flow, .emailSignIn).code.revealed

        let typed = "\(code.prefix(4)) - \(code.dropFirst(4))"
        #expect(try await test.finishEmailSignIn(begun, code: typed).answer != nil)
    }

    @Test func `a code works once, five wrong ones end it, and it is worth nothing without its starter's token`()
        async throws
    {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let begun = try await test.beginEmailSignIn(ada)
        let stranger = OneTimeToken.make(.flow, random: test.app.random)
        #expect(try await test.finishEmailSignIn(begun, heldBy: stranger).refusal?.code == .invalidFlow)
        #expect(try await test.finishEmailSignIn(begun).answer != nil)
        #expect(try await test.finishEmailSignIn(begun).refusal?.code == .invalidFlow)

        let other = try await test.beginEmailSignIn(ada)
        for _ in 0..<5 {
            #expect(try await test.finishEmailSignIn(other, code: "00000000").refusal?.code == .invalidCode)
        }
        #expect(try await test.finishEmailSignIn(other).refusal?.code == .codeAttemptsExhausted)
        #expect(try await test.finishEmailSignIn(other).refusal?.code == .codeAttemptsExhausted)
    }

    /// CVE-2025-64708, authentik: what had expired worked until a job had run.
    @Test func `abuse case 26: a code is refused after its ten minutes, with every worker stopped`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let (early, late) = (try await test.beginEmailSignIn(ada), try await test.beginEmailSignIn(ada))
        #expect(try await test.finishEmailSignIn(early).refusal?.code == .invalidFlow)

        test.clock.set(late.expiresAt)
        #expect(try await test.finishEmailSignIn(late).refusal?.code == .invalidFlow)
    }

    @Test func `a code of before the epoch was raised, of a deactivated user or of another app is dead`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let user = try await test.verifiedUser(ada)
        let old = try await test.beginEmailSignIn(ada)
        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user) }
        #expect(try await test.finishEmailSignIn(old).refusal?.code == .invalidCode)

        let begun = try await test.beginEmailSignIn(ada)
        #expect(try await other.finishEmailSignIn(begun).refusal?.code == .invalidFlow)
        try await test.deactivate(user)
        #expect(try await test.finishEmailSignIn(begun).refusal?.code == .invalidCode)
    }

    /// CVE-2026-9087, Keycloak: a proof that was bound to less than all parties; CVE-2026-4325: one key space for all.
    @Test func `abuse cases 2 and 3: a flow of one purpose is nothing for another`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let reset = try await test.beginReset(ada)
        let code = test.secrets(of: reset.flow, .passwordReset).code.revealed
        #expect(try await test.finishEmailSignIn(reset, code: code).refusal?.code == .invalidFlow)
        let link = test.secrets(of: reset.flow, .passwordReset).linkToken
        let look = try await test.flows.emailSignIn.look(
            at: link, by: LinkHolders(browser: reset.token, starter: reset.token), in: test.scope)
        guard case .gone = look else {
            Issue.record("a reset's link signs in")
            return
        }

        let signIn = try await test.beginEmailSignIn(ada)
        let signInLink = test.secrets(of: signIn.flow, .emailSignIn).linkToken
        #expect(try await test.reset(by: signInLink).refusal?.code == .invalidLink)
        #expect(try await test.undo(by: signInLink).refusal?.code == .invalidLink)
        #expect(try await test.finishEmailSignIn(signIn).answer != nil)
    }

    /// GHSA-qq9h-g4jm-xgf3, better-auth; keycloak #45568.
    @Test func `abuse case 19: what a stranger prepared for an address dies when its owner signs in by mail`()
        async throws
    {
        let test = try await TestFlows.make()
        let hijack = try await test.signUp(ada)

        let begun = try await test.beginEmailSignIn(ada)
        #expect(try await test.finishEmailSignIn(begun).answer != nil)

        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        let code = try #require(test.secrets(of: hijack.flow)).code.revealed
        let late = try await test.flows.verification.verify(
            hijack.flow, startedBy: hijack.token, code: code, in: test.scope, from: TestFlows.origin)
        #expect(late.refusal?.code == .invalidFlow)
        let clicked = try await test.flows.verification.confirm(
            test.link(of: hijack.flow), startedBy: hijack.token, in: test.scope, from: TestFlows.origin)
        #expect(clicked.refusal?.code == .invalidLink)
        #expect(try await test.events().contains { $0.kind == "user.verified" })
    }

    @Test func `an unknown address is owed nothing, unless the app lets people sign up so`() async throws {
        let test = try await TestFlows.make()
        let begun = try await test.beginEmailSignIn(ada)
        #expect(try await test.app.ledger().isEmpty)
        #expect(try await test.finishEmailSignIn(begun).refusal?.code == .invalidCode)
        #expect(try await test.database.batch(in: test.scope) { $0.user(email: ada) } == nil)

        var settings = AppSettings()
        settings.emailSignUp = true
        let open = try await test.scope(with: settings)
        let signUp = try await test.beginEmailSignIn(ada, in: open)
        #expect(try await test.app.ledger().map(\.kind) == ["mail.email_sign_in"])
        #expect(try await test.finishEmailSignIn(signUp).answer != nil)
        let user = try await test.database.batch(in: test.scope) { $0.user(email: ada) }
        #expect(user?.emailVerifiedAt == test.clock.now)
    }

    @Test func `the client and its redirect URI are looked at before anything is owed`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let wrong = try test.client(redirectURI: "https://app.example/callback/")
        let start = try await test.flows.emailSignIn.start(
            ada, to: wrong, locale: nil, in: test.scope, from: TestFlows.origin)
        guard case .refused(let refusal) = start else {
            Issue.record("a redirect URI that is not registered was taken")
            return
        }
        #expect(refusal.code == .invalidRedirectURI)
        #expect(try await test.app.ledger().filter { $0.kind == "mail.email_sign_in" }.isEmpty)
    }

    @Test func `a sixth mail to one address within an hour is refused, known or not`() async throws {
        let test = try await TestFlows.make()
        let known = try EmailAddress.of("grace@example.com")
        try await test.verifiedUser(known)
        test.clock.advance(by: .hours(1))
        for email in [known, ada] {
            for _ in 0..<5 { _ = try await test.beginEmailSignIn(email) }
            await #expect(throws: TestFlows.StepRefused.self) { try await test.beginEmailSignIn(email) }
        }
    }
}
