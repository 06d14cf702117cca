import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What a stranger who signs up with somebody's address can learn or keep.
@Suite("Sign-up secrecy", .showsSeed)
struct SignUpSecrecyTests {
    /// Flows of an address with an account were once not superseded, because superseding went by their user, and they
    /// have none: the first of two flows still took a resend, which told that the address had an account.
    @Test func `a second sign-up ends the first in the same way, whoever has the address`() async throws {
        let test = try await TestFlows.make()
        let (known, new) = (try EmailAddress.of("known@example.com"), try EmailAddress.of("new@example.com"))
        _ = try await test.verifiedUser(known)

        for email in [known, new] {
            let first = try await test.signUp(email)
            _ = try await test.signUp(email)
            let resent = try await test.flows.verification.resend(
                first.flow, startedBy: first.token, in: test.scope, from: TestFlows.origin)
            #expect(resent == Refusal(.invalidFlow))
            let verified = try await test.flows.verification.verify(
                first.flow, startedBy: first.token, code: "12345678", in: test.scope, from: TestFlows.origin)
            #expect(verified.refusal == Refusal(.invalidFlow))
        }
    }

    /// Only the typed code once looked at the epoch: a link that was derived under a retired key still passed.
    @Test func `once a master key is retired its links are dead`() async throws {
        let test = try await TestFlows.make()
        let ada = try EmailAddress.of("ada@example.com")
        let started = try await test.signUp(ada)
        let link = try test.link(of: started.flow)
        let retired = test.restarted(keys: try TestApp.testKeys(epoch: 2)).flows.verification

        #expect(try await retired.look(at: link, startedBy: started.token, in: test.scope).isGone)
        let clicked = try await retired.confirm(
            link, startedBy: started.token, in: test.scope, from: TestFlows.origin)
        #expect(clicked.refusal == Refusal(.invalidLink))
        let chosen = try await retired.confirm(
            link, choosing: TestFlows.password, in: test.scope, from: TestFlows.origin)
        #expect(chosen.refusal == Refusal(.invalidLink))
        #expect(try await !test.flows.verification.look(at: link, startedBy: nil, in: test.scope).isGone)
    }

    @Test func `nobody signs themselves up in the built-in app, whose users are the admins`() async throws {
        let test = try await TestFlows.make()
        let scope = try #require(try await test.database.scope(of: .gatepost))

        let outcome = try await test.flows.signUp.start(
            .of("eve@example.com"), password: TestFlows.password, in: scope, from: TestFlows.origin)

        #expect(outcome.refusal == Refusal(.appNotFound))
    }
}
