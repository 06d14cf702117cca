import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// How often a password can be tried.
@Suite("Password sign-in: limit", .showsSeed)
struct PasswordSignInLimitTests {
    let ada: EmailAddress
    let wrong = Secret("wrong lamps on a grey harbour wall")

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func signIn(_ test: TestFlows, password: Secret) async throws -> PasswordSignInFlow.Outcome {
        try await test.flows.signIn.signIn(
            ada, password: password, to: test.client(), in: test.scope, from: TestFlows.origin)
    }

    /// How many tries the address has spent: the app's own count is not given back and never lower.
    private func spent(_ test: TestFlows) async throws -> Int32? {
        // The mail's limits have another window.
        let end = TestClock.start + .minutes(15)
        return try await test.read("select min(count) as count from rate_limits where expires_at = \(end)") {
            try $0.get("count", as: Int32?.self)
        }.first ?? nil
    }

    @Test func `twenty tries in a window, whatever was wrong with them, and then none`() async throws {
        let test = try await TestFlows.make()
        // Without a user each try costs a hash all the same.
        for _ in 0..<20 {
            let found = try await signIn(test, password: wrong).refusal?.code
            #expect(found == .invalidCredentials)
        }

        test.clock.advance(by: .minutes(5))
        try await test.expectRefusal(.signInRefused, "rate_limited", alsoChanging: ["rate_limits"]) {
            let refusal = try await signIn(test, password: wrong).refusal
            #expect(refusal?.code == .rateLimited && refusal?.retryAfter == .minutes(10))
        }
        test.clock.advance(by: .minutes(10))
        #expect(try await signIn(test, password: wrong).refusal?.code == .invalidCredentials)
    }

    @Test func `while an address is limited the right password is not even compared`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        for _ in 0..<20 { try await spend(test) }

        #expect(try await signIn(test, password: TestFlows.password).refusal?.code == .rateLimited)
        test.clock.advance(by: .minutes(15))
        #expect(try await signIn(test, password: TestFlows.password).code != nil)
    }

    /// A try that is refused before its hash: the client is unknown.
    private func spend(_ test: TestFlows) async throws {
        let client = PasswordSignInFlow.Client(
            id: test.app.newID(), redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge())
        _ = try await test.flows.signIn.signIn(
            ada, password: wrong, to: client, in: test.scope, from: TestFlows.origin)
    }

    @Test func `a success gives its try back`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        for _ in 0..<19 { try await spend(test) }

        for _ in 0..<3 { #expect(try await signIn(test, password: TestFlows.password).code != nil) }

        #expect(try await spent(test) == 19)
        #expect(try await signIn(test, password: wrong).refusal?.code == .invalidCredentials)
        #expect(try await signIn(test, password: TestFlows.password).refusal?.code == .rateLimited)
    }

    @Test func `of forty racing tries at most twenty are compared`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        for _ in 0..<15 { try await spend(test) }

        let refusals = try await race(40) { try await signIn(test, password: wrong).refusal?.code }

        #expect(refusals.count { $0 == .invalidCredentials } == 5)
        #expect(refusals.count { $0 == .rateLimited } == 35)
    }
}
