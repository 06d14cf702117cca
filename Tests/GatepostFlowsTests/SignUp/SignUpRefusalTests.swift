import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// When a sign-up is refused, and what is left of several at once.
@Suite("Sign-up: refusals and races", .showsSeed)
struct SignUpRefusalTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func start(
        _ test: TestFlows, _ email: EmailAddress? = nil, password: Secret = TestFlows.password
    ) async throws -> Refusal? {
        try await test.flows.signUp.start(
            email ?? ada, password: password, in: test.scope, from: TestFlows.origin
        ).refusal
    }

    @Test(arguments: ["", "short", "password12345678", "example.com 12345678", String(repeating: "long ", count: 300)])
    func `a weak password is refused before anything is counted`(_ password: String) async throws {
        let test = try await TestFlows.make()

        try await test.expectRefusal(.signUpRefused, "weak_password") {
            let refusal = try await start(test, password: Secret(password))
            #expect(refusal?.code == .weakPassword)
            #expect(refusal?.detail != nil)
        }
    }

    @Test func `a sixth sign-up with one address within the hour is refused`() async throws {
        let test = try await TestFlows.make(clock: TestClock(at: TestClock.start + .minutes(10)))
        for _ in 0..<5 { _ = try await test.signUp(ada) }

        try await test.expectRefusal(.signUpRefused, "rate_limited", alsoChanging: ["rate_limits"]) {
            let found = try await start(test)
            #expect(found?.code == .rateLimited && found?.retryAfter == .minutes(50))
        }
        #expect(try await start(test, .of("grace@example.com")) == nil)
        test.clock.set(TestClock.start + .hours(1))
        #expect(try await start(test) == nil)
    }

    @Test func `another app's sign-ups do not count`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        for _ in 0..<5 { _ = try await test.signUp(ada) }

        #expect(try await start(other) == nil)
    }

    private func standingFlows(_ test: TestFlows) async throws -> [FlowID] {
        try await test.read("select id from flows where state = 'pending'") { try $0.get("id", as: FlowID.self) }
    }

    @Test func `of racing sign-ups with a new address one flow stands, and its mail is the one owed`() async throws {
        let test = try await TestFlows.make()

        _ = try await race(5) { try await test.signUp(ada) }

        let standing = try await standingFlows(test)
        #expect(standing.count == 1)
        #expect(try await test.app.ledger().map(\.flowID) == standing)
        #expect(try await test.read("select id from users") { try $0.get("id", as: UserID.self) }.count == 1)
    }
}
