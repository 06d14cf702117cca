import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// A known password is changed by whoever knows it.
@Suite("Password change", .showsSeed)
struct PasswordChangeFlowTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
    }

    private func change(
        _ asking: Asking, current: Secret = TestFlows.password, to new: Secret = TestFlows.newPassword,
        endsOthers: Bool = true
    ) async throws -> Refusal? {
        try await test.flows.passwordChange.change(
            for: asking, current: current, to: new, endsOthers: endsOthers, in: test.scope, from: TestFlows.origin)
    }

    @Test func `the session that asks goes on, with its refresh token, and the others end`() async throws {
        let (here, there) = (try await test.tokens(ada), try await test.tokens(ada))
        let half = try await test.signIn(ada)

        #expect(try await change(try await test.asking(here)) == nil)

        #expect(try await test.session(here) != nil)
        #expect(try await test.session(there) == nil)
        #expect(try await test.refresh(there.refreshToken) == nil)
        let next = try #require(try await test.refresh(here.refreshToken))
        #expect(try await test.session(next) != nil)
        #expect(try await test.exchange(half) == nil)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
        #expect(try await test.app.ledger().contains { $0.kind == "mail.password_changed" })
    }

    @Test func `the others go on where the user wants it, a lost answer's repeat too`() async throws {
        let (here, there) = (try await test.tokens(ada), try await test.tokens(ada))
        let next = try #require(try await test.refresh(there.refreshToken))

        #expect(try await change(try await test.asking(here), endsOthers: false) == nil)

        #expect(try await test.session(here) != nil)
        #expect(try await test.session(next) != nil)
        let repeated = try #require(try await test.refresh(there.refreshToken))
        #expect(repeated.refreshToken.secret.revealed == next.refreshToken.secret.revealed)
        #expect(try await test.refresh(next.refreshToken) != nil)
    }

    @Test func `a wrong password changes nothing, under the limit of every other way to try it`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        for _ in 0..<20 {
            #expect(try await change(asking, current: Secret("wrong but long enough")) == Refusal(.invalidCredentials))
        }
        #expect(try await change(asking)?.code == .rateLimited)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada) }
        test.clock.advance(by: .seconds(900))
        _ = try await test.signIn(ada)
    }

    @Test func `a weak new password is refused before anything is compared`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        #expect(try await change(asking, to: Secret("short"))?.code == .weakPassword)
        #expect(try await change(asking, to: Secret("ada@example.com"))?.code == .weakPassword)
    }

    @Test func `what was read before an epoch was raised changes nothing`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: asking.user.id) }
        #expect(try await change(asking)?.code == .sessionEnded)
        _ = try await test.signIn(ada)
    }

    private func changeTwice(_ asking: Asking) async throws -> [Refusal?] {
        try await race(4) { try await change(asking) }
    }

    @Test func `of four changes at once one is done`() async throws {
        let outcomes = try await changeTwice(try await test.asking(try await test.tokens(ada)))
        #expect(outcomes.count { $0 == nil } == 1)
    }

    @Test func `codes and links in mails are dead after a change`() async throws {
        let (signIn, reset) = (try await test.beginEmailSignIn(ada), try await test.beginReset(ada))
        #expect(try await change(try await test.asking(try await test.tokens(ada))) == nil)
        #expect(try await test.finishEmailSignIn(signIn).refusal?.code == .invalidFlow)
        let link = test.secrets(of: reset.flow, .passwordReset).linkToken
        #expect(try await test.reset(by: link).refusal?.code == .invalidLink)
    }
}
