import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// The link of a sign-in by mail: a click where it began signs in, anything anywhere else changes nothing.
@Suite("Sign-in by mail: link", .showsSeed)
struct EmailSignInLinkTests {
    let test: TestFlows
    let ada: EmailAddress
    /// A browser that has begun on a hosted page.
    let browser: BrowserTokens

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
        browser = BrowserTokens(browser: .make(.browser, random: test.app.random), session: nil)
        try await test.verifiedUser(ada)
    }

    /// What a client asked for, by way of the browser.
    private func request() async throws -> AuthorizationRequestID {
        var request = NewAuthorizationRequest(
            id: test.app.newID(), clientID: test.app.client, redirectURI: TestFlows.redirectURI,
            challenge: try TestFlows.challenge(), holder: try #require(browser.browser), at: test.clock.now)
        request.state = "state of the client"
        let new = request
        try await test.database.batch(in: test.scope) { $0.insertAuthorizationRequest(new) }
        return request.id
    }

    private func begin(_ request: AuthorizationRequestID?) async throws -> StartedFlow {
        try test.started(
            await test.flows.emailSignIn.start(
                ada, for: request, by: browser, locale: "de", in: test.scope, from: TestFlows.origin))
    }

    private func link(of begun: StartedFlow) -> OneTimeToken {
        test.secrets(of: begun.flow, .emailSignIn).linkToken
    }

    private func click(_ link: OneTimeToken, _ tokens: BrowserTokens) async throws -> EmailSignInFlow.Outcome {
        try await test.flows.emailSignIn.confirm(link, by: tokens, in: test.scope, from: TestFlows.origin)
    }

    @Test func `a click in the browser that began sends it to the client, signed in to the pages as well`() async throws
    {
        let begun = try await begin(try await request())

        let outcome = try await click(link(of: begun), browser)

        let answer = try #require(outcome.answer)
        #expect(answer.state == "state of the client" && answer.redirectURI == TestFlows.redirectURI)
        #expect(try await test.exchange(answer.code) != nil)
        guard case .ended(let ended) = outcome, let session = ended.session else {
            Issue.record("no session of the pages began")
            return
        }
        let hosted = try await test.database.batch(in: test.scope) {
            $0.hostedSession(session, at: test.clock.now)
        }
        #expect(hosted?.amr == ["otp"])
        #expect(try await click(link(of: begun), browser).refusal?.code == .invalidLink)
    }

    @Test func `the code typed on the page does the same`() async throws {
        let begun = try await begin(try await request())
        let code = test.secrets(of: begun.flow, .emailSignIn).code.revealed
        let outcome = try await test.flows.emailSignIn.verify(
            begun.flow, by: browser, code: code, in: test.scope, from: TestFlows.origin)
        #expect(outcome.answer?.state == "state of the client")
    }

    /// supabase #1214: scanners used magic links up before their owners could.
    @Test func `supabase 1214: a scanner that looks, clicks and runs scripts uses nothing up`() async throws {
        let begun = try await begin(try await request())
        let before = try await test.rows()
        let stranger = OneTimeToken.make(.browser, random: test.app.random)
        for holders in [
            LinkHolders(browser: nil, starter: nil), LinkHolders(browser: stranger, starter: nil),
            LinkHolders(browser: nil, starter: stranger),
        ] {
            let look = try await test.flows.emailSignIn.look(at: link(of: begun), by: holders, in: test.scope)
            guard case .standing("ada@example.com", .elsewhere, _) = look else {
                Issue.record("a scanner is taken for the starter")
                continue
            }
        }
        #expect(try await test.rows() == before)

        for tokens in [BrowserTokens(browser: nil, session: nil), BrowserTokens(browser: stranger, session: nil)] {
            #expect(try await click(link(of: begun), tokens).refusal?.code == .invalidLink)
        }
        #expect(try await test.rows().changed(since: before) == ["audit_events"])
        #expect(try await click(link(of: begun), browser).answer != nil)
    }

    /// CVE-2022-39222, Dex: an attacker begins, the victim finishes, the attacker takes the code.
    @Test func `abuse case 13: whoever reads the mail does not finish what somebody else began`() async throws {
        let attack = try await test.beginEmailSignIn(ada)
        let link = test.secrets(of: attack.flow, .emailSignIn).linkToken
        let victim = LinkHolders(browser: browser.browser, starter: nil)
        let look = try await test.flows.emailSignIn.look(at: link, by: victim, in: test.scope)
        guard case .standing(_, .elsewhere, _) = look else {
            Issue.record("the victim's browser is taken for the attacker's")
            return
        }
        #expect(try await click(link, browser).refusal?.code == .invalidLink)
    }

    @Test func `where an app's own screens began, the link says so`() async throws {
        let begun = try await test.beginEmailSignIn(ada)
        let look = try await test.flows.emailSignIn.look(
            at: test.secrets(of: begun.flow, .emailSignIn).linkToken,
            by: LinkHolders(browser: nil, starter: begun.token), in: test.scope)
        guard case .standing("ada@example.com", .atTheApp, _) = look else {
            Issue.record("the starter's browser is not known again")
            return
        }
    }

    @Test func `without a client that waits, the pages of the account are what it signs in to`() async throws {
        let begun = try await begin(nil)
        let outcome = try await click(link(of: begun), browser)
        guard case .ended(let ended) = outcome else {
            Issue.record("it was refused")
            return
        }
        #expect(ended.answer == nil && ended.session != nil)
    }

    @Test func `a request that is answered already, or is another browser's, gives nothing`() async throws {
        let other = BrowserTokens(browser: .make(.browser, random: test.app.random), session: nil)
        let request = try await request()
        let start = try await test.flows.emailSignIn.start(
            ada, for: request, by: other, locale: nil, in: test.scope, from: TestFlows.origin)
        guard case .refused(let refusal) = start else {
            Issue.record("another browser's request was taken")
            return
        }
        #expect(refusal.code == .invalidAuthorizationRequest)

        let (first, second) = (try await begin(request), try await request2())
        #expect(try await click(link(of: first), browser).refusal?.code == .invalidLink)
        #expect(try await click(link(of: second), browser).answer != nil)
    }

    private func request2() async throws -> StartedFlow {
        try await begin(try await request())
    }
}
