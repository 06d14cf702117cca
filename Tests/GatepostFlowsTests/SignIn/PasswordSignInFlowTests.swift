import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Postgres
import TestSupport
import Testing

@Suite("Password sign-in", .showsSeed)
struct PasswordSignInFlowTests {
    let ada: EmailAddress
    let wrong = Secret("wrong lamps on a grey harbour wall")

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func signIn(
        _ test: TestFlows, _ email: EmailAddress? = nil, password: Secret = TestFlows.password,
        to client: PasswordSignInFlow.Client? = nil
    ) async throws -> PasswordSignInFlow.Outcome {
        try await test.flows.signIn.signIn(
            email ?? ada, password: password, to: client ?? test.client(), in: test.scope, from: TestFlows.origin)
    }

    /// Expects a refusal that leaves the counted try and one event.
    @discardableResult
    private func expectRefusal(
        _ code: ProblemCode, _ test: TestFlows, _ email: EmailAddress? = nil, password: Secret = TestFlows.password,
        to client: PasswordSignInFlow.Client? = nil, sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws -> RecordedEvent? {
        try await test.expectRefusal(
            .signInRefused, code.rawValue, alsoChanging: ["rate_limits"], sourceLocation: location
        ) {
            let refusal = try await signIn(test, email, password: password, to: client).refusal
            #expect(refusal?.code == code, sourceLocation: location)
        }
    }

    @Test func `the right password ends in a code for the client that asked`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)

        let code = try #require(try await signIn(test).code)

        let rows = try await test.read(
            """
            select client_id, user_id, redirect_uri, amr, expires_at
              from authorization_codes where code_hash = \(code.hash)
            """
        ) { $0 }
        let row = try #require(rows.first)
        #expect(try row.get("client_id", as: ClientID.self) == test.app.client)
        #expect(try row.get("user_id", as: UserID.self) == user)
        #expect(try row.get("redirect_uri", as: String.self) == TestFlows.redirectURI)
        #expect(try row.get("amr", as: [String].self) == ["pwd"])
        #expect(try row.get("expires_at", as: Instant.self) == test.clock.now + .seconds(60))
        let event = try #require(try await test.events().last)
        #expect(event.kind == "sign_in.passed" && event.userID == user && event.clientID == test.app.client)
    }

    @Test func `a password typed on another keyboard is the same password`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada, password: Secret("caf\u{E9} au lait on the terrace"))

        #expect(try await signIn(test, password: Secret("cafe\u{301} au lait on the terrace")).code != nil)
    }

    @Test func `a wrong password, an unknown address and one without a password get the same answer`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let bare = try EmailAddress.of("bare@example.com")
        try await test.database.batch(in: test.scope) {
            $0.insertUser(test.app.newID(), email: bare, at: test.clock.now)
        }

        let known = try await expectRefusal(.invalidCredentials, test, password: wrong)
        try await expectRefusal(.invalidCredentials, test, .of("nobody@example.com"))
        try await expectRefusal(.invalidCredentials, test, bare)

        #expect(known?.userID == user)
        #expect(try await signIn(test, password: wrong).refusal == signIn(test, bare).refusal)
    }

    @Test func `the address of a user in another app is unknown`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        try await other.verifiedUser(ada)

        try await expectRefusal(.invalidCredentials, test)
    }

    @Test func `a deactivated user is told so with the right password only`() async throws {
        let test = try await TestFlows.make()
        try await test.deactivate(test.verifiedUser(ada))

        try await expectRefusal(.invalidCredentials, test, password: wrong)
        try await expectRefusal(.userDeactivated, test)
    }

    @Test func `a sign-up that waits for its click signs nobody in`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.signUp(ada)

        try await expectRefusal(.invalidCredentials, test)
        try await expectRefusal(.invalidCredentials, test, password: wrong)
        test.clock.advance(by: .hours(24))
        try await expectRefusal(.invalidCredentials, test)
    }

    /// A waiting address once answered `email_unverified`, so whoever signed up with an address and a password of
    /// their own, and then tried them, learned from it that the address had no account before.
    @Test func `to sign up and then sign in does not tell whether the address had an account`() async throws {
        let test = try await TestFlows.make()
        let (known, new) = (try EmailAddress.of("known@example.com"), try EmailAddress.of("new@example.com"))
        _ = try await test.verifiedUser(known)
        let mine = Secret("seven lamps on a quiet jetty")

        for email in [known, new] {
            _ = try await test.signUp(email, password: mine)
            #expect(try await signIn(test, email, password: mine).refusal?.code == .invalidCredentials)
        }
    }

    @Test func `an unknown client gets nothing, nor does another app's`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        try await test.verifiedUser(ada)

        for id in [ClientID.make(at: test.clock.now, random: test.app.random), other.app.client] {
            let client = PasswordSignInFlow.Client(
                id: id, redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge())
            let event = try await expectRefusal(.unknownClient, test, to: client)
            #expect(event?.clientID == nil)
        }
    }

    @Test(arguments: [
        "https://app.example/callback/", "https://app.example/callback?", "https://app.example/callback#",
        "https://app.example/Callback", "https://app.example:443/callback", "http://app.example/callback",
        "https://app.example.evil.example/callback", "https://evil.example/callback", "//app.example/callback",
        "https://app.example/callback/..;/", "https://user@app.example/callback", "https://app.example\\callback",
        "https://app.example/callback%0d", "HTTPS://app.example/callback", "https://app.example/cal\u{6C}back\u{301}",
        " https://app.example/callback", "javascript:alert(1)", "",
    ])
    func `a redirect URI that is not byte for byte the registered one is refused`(_ uri: String) async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)

        try await expectRefusal(.invalidRedirectURI, test, to: test.client(redirectURI: uri))
    }

    @Test func `a hash of weaker parameters is replaced by the first sign-in`() async throws {
        // As the program hashes, and not as the other tests do.
        let hasher = PasswordHasher(threads: 1, queueMax: 9)
        let test = try await TestFlows.make(hasher: hasher)
        let user = try await test.verifiedUser(ada)
        // argon2-cffi, m = 8 MiB, t = 1: the password of all tests.
        let weak = "$argon2id$v=19$m=8192,t=1,p=1$c2l4dGVlbi1ieXRlLXNhbA$O6Z5jjGhOxjlfK3kVfXzu/POCqrs5OjuSl365nNgr68"
        try await test.write("update credentials set password_hash = \(weak)")

        #expect(try await signIn(test).code != nil)

        let rows = try await test.read("select user_id, password_hash, version from credentials") { $0 }
        let row = try #require(rows.first)
        #expect(try row.get("user_id", as: UserID.self) == user)
        #expect(try row.get("version", as: Int32.self) == 1)
        let stored = try row.get("password_hash", as: String.self)
        #expect(stored.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try await signIn(test).code != nil)
        await hasher.shutdown()
    }

    @Test func `a hash of today's parameters stays`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let before = try await test.rows()

        _ = try await signIn(test)

        #expect(try await test.rows().changed(since: before) == ["authorization_codes", "audit_events", "rate_limits"])
    }
}
