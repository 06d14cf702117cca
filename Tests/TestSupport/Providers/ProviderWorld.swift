package import GatepostFlows
package import GatepostModel
package import GatepostStore

/// An app with an identity provider that is the suite's own, and a browser whose way leads there and back.
package struct ProviderWorld: Sendable {
    /// The app's flows, whose way out reaches loopback.
    package let test: TestFlows
    /// What is asked.
    package let provider: TestProvider
    /// Where it listens.
    package let sink: HTTPSink
    /// Its row in the app.
    package let id: IdentityProviderID

    /// The provider's issuer.
    package var issuer: String { "http://127.0.0.1:\(sink.port)" }
    /// Its name in addresses.
    package static let name = "upstream"

    /// Runs a test with a provider, which is stopped whatever happens.
    ///
    /// - Parameters:
    ///   - port: The way out; by default one that reaches loopback.
    ///   - body: The test.
    /// - Throws: What the body throws.
    package static func running(
        port: ProviderPort? = nil, _ body: (ProviderWorld) async throws -> Void
    ) async throws {
        try await running(port: port, row: { _ in }, body)
    }

    /// The same with a provider whose row is changed.
    package static func running(
        port: ProviderPort? = nil, row change: @Sendable (inout NewIdentityProvider) -> Void,
        _ body: (ProviderWorld) async throws -> Void
    ) async throws {
        let way = try port ?? .loopback()
        let test = try await TestFlows.make(providers: way)
        let clock = test.clock
        let provider = TestProvider { clock.now.seconds }
        try await HTTPSink.running({ provider.answer($0) }) { sink in
            let id = try await test.app.addProvider(issuer: "http://127.0.0.1:\(sink.port)", change)
            try await body(ProviderWorld(test: test, provider: provider, sink: sink, id: id))
        }
    }

    /// A way that has begun: where the browser was sent, and what it holds.
    package struct Way: Sendable {
        package let location: String
        package let request: AuthorizationRequestID
        package let browser: OneTimeToken

        /// Describes a way.
        package init(location: String, request: AuthorizationRequestID, browser: OneTimeToken) {
            (self.location, self.request, self.browser) = (location, request, browser)
        }

        /// The cookies of the browser.
        package var tokens: BrowserTokens { BrowserTokens(browser: browser, session: nil) }
    }

    /// Sends a browser to the provider.
    package func begin(browser: OneTimeToken? = nil, name: String = ProviderWorld.name) async throws -> Way {
        let (request, browser) = try await test.app.waitingRequest(browser: browser)
        return try await begin(request, browser, name: name)
    }

    /// Sends a browser to the provider for a request that waits.
    package func begin(
        _ request: AuthorizationRequestID, _ browser: OneTimeToken, name: String = ProviderWorld.name
    ) async throws -> Way {
        switch try await start(request, browser, name: name) {
        case .sent(let location, _): return Way(location: location, request: request, browser: browser)
        case .refused(let refusal): throw TestFlows.StepRefused(refusal: refusal)
        }
    }

    /// Asks to be sent to the provider.
    package func start(
        _ request: AuthorizationRequestID, _ browser: OneTimeToken, name: String = ProviderWorld.name
    ) async throws -> ProviderSignInFlow.Start {
        guard let name = ProviderName(name) else { throw TestAppMissing() }
        return try await test.flows.providerSignIn.start(
            name, for: .request(request), by: BrowserTokens(browser: browser, session: nil), in: test.scope,
            from: TestFlows.origin)
    }

    /// Comes back with what the provider gave.
    package func finish(
        _ way: Way, with parameters: [String: String]? = nil, browser: OneTimeToken? = nil,
        name: String = ProviderWorld.name
    ) async throws -> ProviderSignInFlow.Outcome {
        guard let name = ProviderName(name) else { throw TestAppMissing() }
        let parameters = parameters ?? provider.signIn(at: way.location)
        return try await test.flows.providerSignIn.take(
            .init(
                state: parameters["state"], code: parameters["code"], error: parameters["error"],
                issuer: parameters["iss"]),
            from: name, by: BrowserTokens(browser: browser ?? way.browser, session: nil), in: test.scope,
            from: TestFlows.origin)
    }

    /// There and back.
    package func signIn() async throws -> ProviderSignInFlow.Outcome {
        try await finish(try await begin())
    }
}

extension ProviderSignInFlow.Outcome {
    /// The answer to the client, if there is one.
    package var answer: SignInEnding.Answer? {
        guard case .ended(let ended) = self else { return nil }
        return ended.answer
    }

    /// Why nobody was signed in, if that is what happened.
    package var refusal: Refusal? {
        guard case .refused(let refusal, _) = self else { return nil }
        return refusal
    }

    /// Whether the identity waits for its owner.
    package var isWaiting: Bool {
        guard case .accountNeeded = self else { return false }
        return true
    }
}
