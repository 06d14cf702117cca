import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What a yes is worth without the second factor that is asked for.
@Suite("Consent without the second factor", .showsSeed)
struct ConsentFactorTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        try await test.verifiedUser(ada)
    }

    /// Ada, signed in with one factor, and the request of a client of somebody else's that waits for her yes.
    private func asked() async throws -> (request: AuthorizationRequestID, tokens: BrowserTokens) {
        var change = ClientChange()
        change.party = .third
        try await test.database.batch(in: test.scope) { [change] in
            $0.changeClient(test.app.client, change, sector: nil)
        }
        let (request, browser) = try await test.app.waitingRequest()
        let outcome = try await test.flows.signIn.signIn(
            ada, password: TestFlows.password, for: request, by: BrowserTokens(browser: browser, session: nil),
            in: test.scope, from: TestFlows.origin)
        guard case .ended(let ended) = outcome, ended.consent == request else {
            throw TestFlows.StepRefused(refusal: nil)
        }
        return (request, BrowserTokens(browser: browser, session: ended.session))
    }

    private func consentCount() async throws -> Int64 {
        try await test.database.batch(in: test.scope) {
            $0.read("select count(*) as count from consents") { try $0.first?.get("count") ?? -1 }
        }
    }

    /// The session is read, then the request answered: a role that was given in between counts, as for the code.
    @Test func `a yes that comes too late for the requirement lets nobody in`() async throws {
        let (request, tokens) = try await asked()
        let (holder, cookie) = (try #require(tokens.browser), try #require(tokens.session))
        let session = try #require(
            try await test.database.batch(in: test.scope) { $0.hostedSession(cookie, at: test.clock.now) })
        let role: RoleID = test.app.newID()
        var content = try #require(RoleContent(name: "treasurer", description: "", permissions: []))
        content.requiresFactor = true
        try await test.database.batch(in: test.scope) { [content] batch in
            batch.insertRole(role, content, at: test.clock.now)
            _ = batch.assignRole(role, to: session.user.id, at: test.clock.now)
        }
        func grant() async throws {
            try await test.database.batch(in: test.scope) { batch in
                batch.grantConsent(
                    to: request, heldBy: holder, in: session.id, for: SignInProof(of: session), at: test.clock.now)
            }
        }
        try await grant()
        #expect(try await consentCount() == 0)
        let allowed = try await test.flows.consent.allow(
            request, asked: session.id, by: tokens, in: test.scope, from: TestFlows.origin)
        guard case .signInNeeded = allowed else {
            Issue.record("\(allowed)")
            return
        }

        _ = try await test.database.batch(in: test.scope) { $0.unassignRole(role, from: session.user.id) }
        try await grant()
        #expect(try await consentCount() == 1)
    }

    @Test func `an answer is taken from the session that was asked, and from no other`() async throws {
        let (request, tokens) = try await asked()
        let flow = test.flows.consent
        guard case .question(let question) = try await flow.question(request, by: tokens, in: test.scope) else {
            Issue.record("nobody is asked")
            return
        }
        let other: SessionID = test.app.newID()
        for session in [nil, other] {
            for outcome in [
                try await flow.allow(request, asked: session, by: tokens, in: test.scope, from: TestFlows.origin),
                try await flow.decline(request, asked: session, by: tokens, in: test.scope, from: TestFlows.origin),
            ] {
                guard case .askedAnew = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
            }
        }
        #expect(try await consentCount() == 0)
        let outcome = try await flow.allow(
            request, asked: question.session.id, by: tokens, in: test.scope, from: TestFlows.origin)
        guard case .answered = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try await consentCount() == 1)
    }
}
