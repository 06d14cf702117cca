import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// What ends with a session that its user ends on the account page.
@Suite("Account", .showsSeed)
struct AccountFlowTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
    }

    /// A browser in which the user is signed in, and its session.
    private func browser() async throws -> (tokens: BrowserTokens, id: SessionID) {
        let tokens = try await test.signedInBrowser(ada)
        let session = try #require(try await test.flows.account.session(by: tokens, in: test.scope))
        return (tokens, session.id)
    }

    /// A code that a browser was given for a client without a click, not exchanged yet.
    private func silentCode(_ tokens: BrowserTokens) async throws -> OneTimeToken {
        guard case .answered(let answer) = try await test.authorize([:], by: tokens) else {
            throw TestFlows.StepRefused(refusal: nil)
        }
        return answer.code
    }

    /// Whoever held a copy of a cookie once kept a code in hand, and exchanged it after all others had been signed out.
    @Test func `ending all others ends the codes that they have not exchanged`() async throws {
        let (owner, thief) = (try await browser(), try await browser())
        let code = try await silentCode(thief.tokens)

        #expect(try await test.flows.account.endOthers(by: owner.tokens, in: test.scope, from: TestFlows.origin))

        #expect(try await test.exchange(code) == nil)
        #expect(try await test.flows.account.session(by: thief.tokens, in: test.scope) == nil)
        #expect(try await test.flows.account.session(by: owner.tokens, in: test.scope)?.id == owner.id)
        #expect(try await test.exchange(silentCode(owner.tokens)) != nil)
    }

    @Test func `ending one session ends the code that it has not exchanged`() async throws {
        let (owner, thief) = (try await browser(), try await browser())
        let code = try await silentCode(thief.tokens)

        let isDone = try await test.flows.account.end(
            thief.id, by: owner.tokens, in: test.scope, from: TestFlows.origin)

        #expect(isDone)
        #expect(try await test.exchange(code) == nil)
    }

    @Test func `a code goes on where the same browser has signed in anew`() async throws {
        let first = try await browser()
        let code = try await silentCode(first.tokens)
        _ = try await test.signedInBrowser(ada, in: first.tokens)
        #expect(try await test.flows.account.session(by: first.tokens, in: test.scope) == nil)
        #expect(try await test.exchange(code) != nil)
    }

    /// One that did not stand at the moment was once passed over, and lived again when the app asked for less.
    @Test func `ending all others ends those, too, that do not stand today`() async throws {
        let (owner, other) = (try await browser(), try await browser())
        let tokens = try await test.tokens(ada)
        var settings = AppSettings()
        settings.requireSecondFactor = true
        let strict = try await test.scope(with: settings)
        try await test.database.batch(in: strict) { batch in
            batch.addMethods(AuthenticationClass.secondMethods, to: owner.id)
        }

        #expect(try await test.flows.account.endOthers(by: owner.tokens, in: strict, from: TestFlows.origin))

        let before = try await test.scope(with: AppSettings())
        #expect(try await test.flows.account.session(by: other.tokens, in: before) == nil)
        #expect(try await test.session(tokens) == nil)
    }
}
