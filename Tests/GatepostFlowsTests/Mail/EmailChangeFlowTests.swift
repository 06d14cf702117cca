import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// An address changes when the new one is proved, and not before.
@Suite("Change of address", .showsSeed)
struct EmailChangeFlowTests {
    let test: TestFlows
    let ada: EmailAddress
    let new: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("Ada@example.com")
        new = try .of("Lovelace@Example.org")
        try await test.verifiedUser(ada)
    }

    private func confirm(_ begun: StartedFlow, heldBy token: OneTimeToken) async throws -> EmailChangeFlow.Outcome {
        try await test.flows.emailChange.confirm(
            test.secrets(of: begun.flow, .emailChange).linkToken, heldBy: token, in: test.scope,
            from: TestFlows.origin)
    }

    private func user(_ email: EmailAddress) async throws -> UserRecord? {
        try await test.database.batch(in: test.scope) { $0.user(email: email) }
    }

    @Test func `the code switches the address; the session that asked goes on and the others end`() async throws {
        let (here, there) = (try await test.tokens(ada), try await test.tokens(ada))
        let begun = try await test.beginEmailChange(for: test.asking(here), to: new)
        #expect(begun.expiresAt == test.clock.now + .hours(24))
        #expect(try await user(ada) != nil)

        #expect(try await test.finishEmailChange(begun).email == "Lovelace@example.org")

        #expect(try await user(ada) == nil)
        #expect(try await user(new)?.email == "Lovelace@example.org")
        #expect(try await test.session(here) != nil)
        #expect(try await test.session(there) == nil)
        #expect(try await test.refresh(here.refreshToken) != nil)
        _ = try await test.signIn(new)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        let kinds = try await test.app.ledger().map(\.kind)
        #expect(kinds.contains("mail.email_change") && kinds.contains("mail.email_changed"))
        #expect(try await test.finishEmailChange(begun).refusal?.code == .invalidFlow)
    }

    /// better-auth #7196: the address was switched before the new one was proved, so a typing error lost the account.
    @Test func `better-auth 7196: a typing error in the new address costs nothing`() async throws {
        let typo = try EmailAddress.of("lovelace@example.orgg")
        let begun = try await test.beginEmailChange(for: test.asking(test.tokens(ada)), to: typo)

        // Whoever has that mailbox, or its scanner, clicks.
        let stranger = OneTimeToken.make(.browser, random: test.app.random)
        #expect(try await confirm(begun, heldBy: stranger).refusal?.code == .invalidLink)

        #expect(try await user(typo) == nil)
        _ = try await test.signIn(ada)
        try await test.changeEmail(for: try await test.asking(try await test.tokens(ada)), to: new)
        #expect(try await test.finishEmailChange(begun).refusal != nil)
    }

    @Test func `the link switches in the browser that asked`() async throws {
        let browser = OneTimeToken.make(.browser, random: test.app.random)
        let begun = try test.started(
            await test.flows.emailChange.start(
                for: test.asking(test.tokens(ada)), to: new, password: TestFlows.password, by: browser, locale: nil,
                in: test.scope, from: TestFlows.origin))
        let link = test.secrets(of: begun.flow, .emailChange).linkToken
        let look = try await test.flows.emailChange.look(
            at: link, by: LinkHolders(browser: browser, starter: nil), in: test.scope)
        guard case .standing("Lovelace@example.org", .here) = look else {
            Issue.record("the browser is not known again")
            return
        }
        #expect(try await confirm(begun, heldBy: browser).email != nil)
    }

    @Test func `it needs the password, or a recent sign-in of somebody who has none`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        for password in [nil, Secret("wrong but long enough")] {
            await #expect(throws: TestFlows.StepRefused.self) {
                try await test.beginEmailChange(for: asking, to: new, password: password)
            }
        }
        var settings = AppSettings()
        settings.emailSignUp = true
        let open = try await test.scope(with: settings)
        let grace = try EmailAddress.of("grace@example.com")
        let outcome = try await test.finishEmailSignIn(try await test.beginEmailSignIn(grace, in: open))
        let answer = try #require(outcome.answer)
        let tokens = try #require(try await test.exchange(answer.code))
        let without = try await test.asking(tokens)
        #expect(try await test.beginEmailChange(for: without, to: new, password: nil).expiresAt > test.clock.now)
        test.clock.advance(by: .minutes(10) + .seconds(1))
        let refusal = await #expect(throws: TestFlows.StepRefused.self) {
            try await test.beginEmailChange(for: without, to: new, password: nil)
        }
        #expect(refusal?.refusal?.code == .recentSignInRequired)
    }

    @Test func `an address of another user gets no mail, and whoever asks is told nothing of it`() async throws {
        let grace = try EmailAddress.of("grace@example.com")
        try await test.verifiedUser(grace)
        let asking = try await test.asking(try await test.tokens(ada))
        let taken = try await test.beginEmailChange(for: asking, to: grace)
        #expect(try await test.app.ledger().filter { $0.kind == "mail.email_change" }.isEmpty)
        // Even the secrets themselves switch nothing.
        #expect(try await test.finishEmailChange(taken).refusal?.code == .conflict)
        #expect(try await user(grace) != nil)
        #expect(try await user(ada) != nil)
    }

    @Test func `codes and links of before are dead after the switch, and so is one that was replaced`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        let (signIn, reset) = (try await test.beginEmailSignIn(ada), try await test.beginReset(ada))
        let old = try await test.beginEmailChange(for: asking, to: try .of("first@example.org"))
        let begun = try await test.beginEmailChange(for: asking, to: new)
        #expect(try await test.finishEmailChange(old).refusal?.code == .invalidFlow)
        #expect(try await test.finishEmailChange(begun).email != nil)

        #expect(try await test.finishEmailSignIn(signIn).refusal?.code == .invalidFlow)
        let link = test.secrets(of: reset.flow, .passwordReset).linkToken
        #expect(try await test.reset(by: link).refusal?.code == .invalidLink)
    }

    /// supertokens-node #856: a change of address and a reset that was under way met, and the wrong mailbox won.
    @Test func `supertokens 856: a reset of the old address does not survive the change, nor the reverse`()
        async throws
    {
        let asking = try await test.asking(try await test.tokens(ada))
        let change = try await test.beginEmailChange(for: asking, to: new)
        let reset = try await test.beginReset(ada)
        #expect(try await test.reset(by: test.secrets(of: reset.flow, .passwordReset).linkToken).user != nil)

        #expect(try await test.finishEmailChange(change).refusal?.code == .invalidFlow)
        #expect(try await user(ada) != nil)
        #expect(try await user(new) == nil)

        try await test.changeEmail(
            for: try await signedIn(ada, TestFlows.newPassword), to: new, password: TestFlows.newPassword)
        let late = try await test.beginReset(ada)
        #expect(try await test.reset(by: test.secrets(of: late.flow, .passwordReset).linkToken).refusal != nil)
        _ = try await test.signIn(new, password: TestFlows.newPassword)
    }

    private func signedIn(_ email: EmailAddress, _ password: Secret) async throws -> Asking {
        let code = try await test.signIn(email, password: password)
        let tokens = try await test.exchange(code)
        return try await test.asking(try #require(tokens))
    }

    @Test func `a code is refused after a day, with every worker stopped`() async throws {
        let begun = try await test.beginEmailChange(for: test.asking(test.tokens(ada)), to: new)
        test.clock.set(begun.expiresAt)
        #expect(try await test.finishEmailChange(begun).refusal?.code == .invalidFlow)
    }
}
