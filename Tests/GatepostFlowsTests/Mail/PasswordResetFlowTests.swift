import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A forgotten password is replaced by whoever reads the mailbox, and by nobody else.
@Suite("Password reset", .showsSeed)
struct PasswordResetFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func link(of begun: StartedFlow, _ test: TestFlows) -> OneTimeToken {
        test.secrets(of: begun.flow, .passwordReset).linkToken
    }

    private func code(
        _ begun: StartedFlow, _ test: TestFlows, code: String? = nil, password: Secret = TestFlows.newPassword
    ) async throws -> PasswordResetFlow.Outcome {
        try await test.flows.passwordReset.confirm(
            begun.flow, heldBy: begun.token,
            code: code ?? test.secrets(of: begun.flow, .passwordReset).code.revealed, choosing: password,
            in: test.scope, from: TestFlows.origin)
    }

    @Test func `the link sets the new password on any device, ends every session and signs nobody in`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let (here, there) = (try await test.tokens(ada), try await test.tokens(ada))
        let half = try await test.signIn(ada)
        let begun = try await test.beginReset(ada)
        #expect(begun.expiresAt == test.clock.now + .minutes(30))

        #expect(try await test.reset(by: link(of: begun, test)).user == user)

        for tokens in [here, there] {
            #expect(try await test.session(tokens) == nil)
            #expect(try await test.refresh(tokens.refreshToken) == nil)
        }
        #expect(try await test.exchange(half) == nil)
        let reasons = try await test.read("select end_reason from sessions") {
            try $0.get("end_reason", as: String.self)
        }
        #expect(reasons == ["password_reset", "password_reset"])
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
        #expect(try await test.app.ledger().map(\.kind).contains("mail.password_changed"))
        let event = try await test.events().first(where: { $0.kind == "password.changed" })
        #expect(event?.userID == user && event?.reason == "password_reset")
    }

    @Test func `the typed code does the same, and a weak password costs none of its tries`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let begun = try await test.beginReset(ada)
        for _ in 0..<6 {
            #expect(try await code(begun, test, password: Secret("short")).refusal?.code == .weakPassword)
        }
        for _ in 0..<4 { #expect(try await code(begun, test, code: "00000000").refusal?.code == .invalidCode) }
        #expect(try await code(begun, test).user != nil)
        #expect(try await code(begun, test).refusal?.code == .invalidFlow)
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
    }

    @Test func `five wrong codes end it`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let begun = try await test.beginReset(ada)
        for _ in 0..<5 { #expect(try await code(begun, test, code: "00000000").refusal?.code == .invalidCode) }
        #expect(try await code(begun, test).refusal?.code == .codeAttemptsExhausted)
        #expect(try await test.reset(by: link(of: begun, test)).refusal?.code == .invalidLink)
    }

    @Test func `an app may let sessions go on, but no link or code`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let tokens = try await test.tokens(ada)
        let (signIn, half) = (try await test.beginEmailSignIn(ada), try await test.signIn(ada))
        var settings = AppSettings()
        settings.resetEndsSessions = false
        let lenient = try await test.scope(with: settings)
        let begun = try await test.beginReset(ada)

        #expect(try await test.reset(by: link(of: begun, test), in: lenient).user != nil)

        #expect(try await test.session(tokens) != nil)
        let next = try #require(try await test.refresh(tokens.refreshToken))
        #expect(try await test.session(next) != nil)
        #expect(try await test.finishEmailSignIn(signIn).refusal?.code == .invalidFlow)
        #expect(try await test.exchange(half) == nil)
    }

    @Test func `a link works once, not after thirty minutes, and a newer one replaces it`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let (old, used) = (try await test.beginReset(ada), try await test.beginReset(ada))
        #expect(try await test.reset(by: link(of: old, test)).refusal?.code == .invalidLink)
        #expect(try await test.reset(by: link(of: used, test), to: Secret("short")).refusal?.code == .weakPassword)
        #expect(try await test.reset(by: link(of: used, test)).user != nil)
        #expect(try await test.reset(by: link(of: used, test)).refusal?.code == .invalidLink)

        let late = try await test.beginReset(ada)
        test.clock.set(late.expiresAt)
        #expect(try await test.reset(by: link(of: late, test)).refusal?.code == .invalidLink)
    }

    @Test func `a deactivated user gets no mail, and no link of theirs works`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let before = try await test.beginReset(ada)
        try await test.deactivate(user)
        #expect(try await test.reset(by: link(of: before, test)).refusal?.code == .invalidLink)

        test.clock.advance(by: .hours(1))
        let after = try await test.beginReset(ada)
        let mails = try await test.app.ledger().filter { $0.kind == "mail.password_reset" }
        #expect(mails.map(\.flowID) == [before.flow])
        #expect(try await test.reset(by: link(of: after, test)).refusal?.code == .invalidLink)
    }

    @Test func `an address that waits to be verified is by a reset, and what was prepared for it is dead`()
        async throws
    {
        let test = try await TestFlows.make()
        let hijack = try await test.signUp(ada)
        let begun = try await test.beginReset(ada)
        #expect(try await test.reset(by: link(of: begun, test)).user != nil)

        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
        let late = try await test.flows.verification.confirm(
            test.link(of: hijack.flow), startedBy: hijack.token, in: test.scope, from: TestFlows.origin)
        #expect(late.refusal?.code == .invalidLink)
    }

    /// CVE-2026-18963, Keycloak: another order of calls reset a password without the mail.
    @Test func `abuse case 1: the holder of the flow resets nothing without the mail's code`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let begun = try await test.beginReset(ada)
        let before = try await test.rows()

        let tries = ["", "0", "null", "\(begun.flow)", begun.token.secret.revealed]
        for typed in tries { #expect(try await code(begun, test, code: typed).refusal?.code == .invalidCode) }
        let asLink = OneTimeToken(.link, bytes: begun.token.hash)
        #expect(try await test.reset(by: asLink).refusal?.code == .invalidLink)

        let changed = try await test.rows().changed(since: before)
        #expect(changed.isSubset(of: ["audit_events", "flows", "rate_limits"]))
        _ = try await test.signIn(ada)
    }

    @Test func `a known and an unknown address leave the same rows but for the mail`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        // Another window of the limit than that of the sign-up.
        test.clock.advance(by: .hours(1))
        var added: [[String: Int64]] = []
        for email in [ada, try .of("nobody@example.com")] {
            let before = try await test.rows()
            _ = try await test.beginReset(email)
            let after = try await test.rows()
            added.append(
                Dictionary(
                    uniqueKeysWithValues: after.changed(since: before).map { ($0, after.added(to: $0, since: before)) })
            )
        }
        #expect(added.first?["outbox"] == 1)
        // The app and the network are counted in rows that the first one made.
        let rest = added.map { $0.filter { $0.key != "outbox" && $0.key != "rate_limits" } }
        #expect(rest.first == rest.last)
    }
}
