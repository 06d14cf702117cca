package import Crypto
package import GatepostFlows
package import GatepostModel
package import GatepostStore
package import Passwords

/// The flows over one app of a test, wired as the program wires them, with the test's clock and chance.
///
/// The app's signing key is the test's own, so that a test can forge what a thief of the key could not do better.
package struct TestFlows: Sendable {
    /// Where Gatepost says it is reached.
    package static let baseURL = "https://auth.example.test"
    /// A password that the policy takes.
    package static let password = Secret("seven lamps on a grey harbour wall")
    /// What the client of a test's app has registered.
    package static let redirectURI = "https://app.example/callback"
    /// The client's PKCE verifier.
    package static let codeVerifier = "test-verifier-of-forty-three-characters-0123"
    /// Where the requests of a test come from.
    package static let origin = RequestOrigin(ip: "192.0.2.7", userAgent: "Test/1")
    /// One for all tests, since its threads cost; and a weak one, since thousands of tests sign people up.
    ///
    /// What a hash is worth is a matter of `PasswordsTests`, and of the tests that take a hasher of their own.
    package static let hasher = PasswordHasher(
        threads: 2, queueMax: 500, strength: HashStrength(memoryBytes: 8192, passes: 1))

    /// The app in whose scope everything happens.
    package let app: TestApp
    /// The private half, which the program itself never hands out, and its `kid`.
    package let signingKey: P256.Signing.PrivateKey
    package let signingKeyID: SigningKeyID
    /// What the flows sign and verify with.
    package let keys: KeyCache
    package let issuer: TokenIssuer
    /// What is under test.
    package let flows: Flows

    /// The time of all flows; it moves only when told.
    package var clock: TestClock { app.clock }
    /// What every flow takes as proof that the app exists.
    package var scope: AppScope { app.scope }
    /// For looking at what the flows have written.
    package var database: Database { app.database }

    /// Makes an app with a client and a signing key, and wires the flows.
    ///
    /// - Parameters:
    ///   - clock: The time; by default one of its own.
    ///   - signingKeyID: The key's id, for tests in which two apps have one of the same id.
    ///   - hasher: What hashes passwords; by default the one that tests share.
    ///   - settings: What the app decides for itself.
    ///   - providers: The way to identity providers, which may be on this machine; by default there is none.
    ///   - passwordRange: The way to a server that knows leaked passwords; by default there is none.
    /// - Returns: The flows.
    /// - Throws: What Postgres says.
    package static func make(
        clock: TestClock = TestClock(), signingKeyID: SigningKeyID? = nil, hasher: PasswordHasher = TestFlows.hasher,
        settings: AppSettings = AppSettings(), providers: ProviderPort? = nil,
        passwordRange: PasswordRangePort = .none
    ) async throws -> TestFlows {
        let app = try await TestApp.make(clock: clock, settings: settings)
        let (key, id) = (P256.Signing.PrivateKey(), signingKeyID ?? app.newID())
        let new = try app.newSigningKey(key, id)
        _ = try await app.database.batch(in: app.scope) { $0.insertActiveSigningKey(new) }
        return TestFlows(app, key, id, hasher, providers, passwordRange)
    }

    /// The same app in a process that has just started: nothing is remembered.
    package func restarted(keys: KeyRing? = nil, hasher: PasswordHasher = TestFlows.hasher) -> TestFlows {
        let app = TestApp(
            database: app.database, scope: app.scope, client: app.client, clock: app.clock, random: app.random,
            keys: keys ?? app.keys)
        return TestFlows(app, signingKey, signingKeyID, hasher)
    }

    private init(
        _ app: TestApp, _ signingKey: P256.Signing.PrivateKey, _ signingKeyID: SigningKeyID, _ hasher: PasswordHasher,
        _ providers: ProviderPort? = nil, _ passwordRange: PasswordRangePort = .none
    ) {
        (self.app, self.signingKey, self.signingKeyID) = (app, signingKey, signingKeyID)
        keys = KeyCache(database: app.database, ring: app.keys, clock: app.clock)
        issuer = TokenIssuer(cache: keys, random: app.random, baseURL: Self.baseURL)
        flows = Flows(
            of: FlowParts(
                database: app.database, clock: app.clock, random: app.random, cache: keys, baseURL: Self.baseURL,
                hasher: hasher, allowsPrivateDestinations: providers != nil, providers: providers ?? .none,
                passwordRange: passwordRange))
    }
}
