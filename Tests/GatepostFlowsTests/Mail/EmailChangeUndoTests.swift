import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// Whoever reads the old address takes a change back.
@Suite("Undoing a change of address", .showsSeed)
struct EmailChangeUndoTests {
    let test: TestFlows
    let ada: EmailAddress
    let thief: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("Ada@example.com")
        thief = try .of("thief@example.org")
        try await test.verifiedUser(ada)
    }

    /// The links in the notices that were owed, the newest first.
    private func links() async throws -> [OneTimeToken] {
        try await test.app.ledger().filter { $0.kind == "mail.email_changed" }.compactMap(\.flowID)
            .map { test.secrets(of: $0, .emailChangeUndo).linkToken }
    }

    /// A session of the thief, signed in at the new address.
    private func thiefsSession() async throws -> Asking {
        let code = try await test.signIn(thief)
        let tokens = try await test.exchange(code)
        return try await test.asking(try #require(tokens))
    }

    @Test func `the link restores the old address, with a new password, and ends every session`() async throws {
        let tokens = try await test.tokens(ada)
        try await test.changeEmail(for: try await test.asking(tokens), to: thief)
        let link = try #require(try await links().first)
        let look = try await test.flows.emailChange.look(atUndoing: link, in: test.scope)
        guard case .standing("Ada@example.com") = look else {
            Issue.record("the link is gone")
            return
        }

        #expect(try await test.undo(by: link).email == "Ada@example.com")

        #expect(try await test.session(tokens) == nil)
        #expect(try await test.refresh(tokens.refreshToken) == nil)
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
        for email in [ada, thief] {
            await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(email) }
        }
        #expect(try await test.undo(by: link).refusal?.code == .invalidLink)
        #expect(try await test.events().contains { $0.kind == "email_change.undone" })
    }

    @Test func `it works whatever the thief has changed since`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        try await test.changeEmail(for: asking, to: thief)
        let link = try #require(try await links().first)
        let stolen = Secret("a password that the thief has chosen")
        let thiefs = try await thiefsSession()
        let refusal = try await test.flows.passwordChange.change(
            for: thiefs, current: TestFlows.password, to: stolen, endsOthers: true, in: test.scope,
            from: TestFlows.origin)
        #expect(refusal == nil)
        let signIn = try await test.beginEmailSignIn(thief)

        #expect(try await test.undo(by: link).email == "Ada@example.com")

        #expect(try await test.finishEmailSignIn(signIn).refusal?.code == .invalidFlow)
        await #expect(throws: TestFlows.StepRefused.self) { try await test.signIn(ada, password: stolen) }
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
    }

    @Test func `of several changes the first undoing ends the later ones, and no later one the first`() async throws {
        let asking = try await test.asking(try await test.tokens(ada))
        try await test.changeEmail(for: asking, to: thief)
        test.clock.advance(by: .minutes(1))
        let further = try EmailAddress.of("thief@example.net")
        let again = try await thiefsSession()
        try await test.changeEmail(for: again, to: further)
        let links = try await links()
        let (ofThief, ofAda) = (try #require(links.first), try #require(links.last))

        #expect(try await test.undo(by: ofThief, choosing: TestFlows.password).email == "thief@example.org")
        #expect(try await test.undo(by: ofAda).email == "Ada@example.com")
        #expect(try await test.undo(by: ofThief).refusal?.code == .invalidLink)
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
    }

    @Test func `the first undoing ends a later one that was not used`() async throws {
        try await test.changeEmail(for: try await test.asking(try await test.tokens(ada)), to: thief)
        test.clock.advance(by: .minutes(1))
        let again = try await thiefsSession()
        try await test.changeEmail(for: again, to: try .of("thief@example.net"))
        let links = try await links()
        let (first, last) = (try #require(links.first), try #require(links.last))

        #expect(try await test.undo(by: last).email == "Ada@example.com")
        #expect(try await test.undo(by: first).refusal?.code == .invalidLink)
    }

    @Test func `not after seven days, not of a deactivated user, not without a good password`() async throws {
        try await test.changeEmail(for: try await test.asking(try await test.tokens(ada)), to: thief)
        let link = try #require(try await links().first)
        #expect(try await test.undo(by: link, choosing: Secret("short")).refusal?.code == .weakPassword)
        let user = try #require(try await test.database.batch(in: test.scope) { $0.user(email: thief) })
        let before = test.clock.now
        test.clock.set(before + .days(7))
        #expect(try await test.undo(by: link).refusal?.code == .invalidLink)
        test.clock.set(before)
        try await test.deactivate(user.id)
        #expect(try await test.undo(by: link).refusal?.code == .invalidLink)
    }

    @Test func `an address that somebody else has taken meanwhile is not given back, and the link stays`()
        async throws
    {
        try await test.changeEmail(for: try await test.asking(try await test.tokens(ada)), to: thief)
        try await test.verifiedUser(ada, password: TestFlows.newPassword)
        let link = try #require(try await links().first)
        #expect(try await test.undo(by: link).refusal?.code == .conflict)
        _ = try await test.signIn(ada, password: TestFlows.newPassword)
    }

    private func undoTwenty(_ link: OneTimeToken) async throws -> [EmailChangeFlow.Outcome] {
        try await race(20) { try await test.undo(by: link) }
    }

    @Test func `of twenty with one link one takes the change back`() async throws {
        try await test.changeEmail(for: try await test.asking(try await test.tokens(ada)), to: thief)
        let outcomes = try await undoTwenty(try #require(try await links().first))
        #expect(outcomes.count { $0.email != nil } == 1)
    }
}
