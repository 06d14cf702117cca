package import GatepostFlows
package import GatepostModel

/// Ways to the provider without a client: for the account's own pages, and to link an identity.
extension ProviderWorld {
    /// A way that was begun without a client.
    package struct AccountWay: Sendable {
        package let location: String
        package let tokens: BrowserTokens
    }

    /// Signs a user in to the pages by password; what the browser holds afterwards.
    package func hosted(_ email: String, browser: OneTimeToken? = nil) async throws -> BrowserTokens {
        guard let address = EmailAddress(email) else { throw TestAppMissing() }
        let browser = browser ?? .make(.browser, random: test.app.random)
        let outcome = try await test.flows.signIn.signIn(
            address, password: TestFlows.password, for: nil, by: BrowserTokens(browser: browser, session: nil),
            in: test.scope, from: TestFlows.origin)
        switch outcome {
        case .ended(let ended): return BrowserTokens(browser: browser, session: ended.session)
        case .refused(let refusal): throw TestFlows.StepRefused(refusal: refusal)
        }
    }

    /// Who asks, by the session of a browser.
    package func asking(_ tokens: BrowserTokens) async throws -> Asking {
        guard let session = try await test.flows.account.session(by: tokens, in: test.scope) else {
            throw TestFlows.StepRefused(refusal: nil)
        }
        return Asking(session)
    }

    /// Sends a browser to the provider.
    package func begin(
        _ purpose: ProviderSignInFlow.Purpose, by tokens: BrowserTokens = BrowserTokens(browser: nil, session: nil),
        name: String = ProviderWorld.name
    ) async throws -> AccountWay {
        guard let name = ProviderName(name) else { throw TestAppMissing() }
        let start = try await test.flows.providerSignIn.start(
            name, for: purpose, by: tokens, in: test.scope, from: TestFlows.origin)
        switch start {
        case .sent(let location, let holder):
            return AccountWay(
                location: location, tokens: BrowserTokens(browser: holder, session: tokens.session))
        case .refused(let refusal): throw TestFlows.StepRefused(refusal: refusal)
        }
    }

    /// Comes back with what the provider gave, in the browser that holds these tokens.
    package func finish(
        at location: String, by tokens: BrowserTokens, with parameters: [String: String]? = nil,
        name: String = ProviderWorld.name
    ) async throws -> ProviderSignInFlow.Outcome {
        guard let name = ProviderName(name) else { throw TestAppMissing() }
        let parameters = parameters ?? provider.signIn(at: location)
        return try await test.flows.providerSignIn.take(
            .init(
                state: parameters["state"], code: parameters["code"], error: parameters["error"],
                issuer: parameters["iss"]),
            from: name, by: tokens, in: test.scope, from: TestFlows.origin)
    }
}

extension ProviderSignInFlow.Outcome {
    /// Where an app's browser is sent back to.
    package var sentBack: String? {
        if case .sentBack(let location) = self { location } else { nil }
    }

    /// Whether the identity is the signed-in user's from here on.
    package var isLinked: Bool {
        if case .linked = self { true } else { false }
    }

    /// Whether the sign-in ended at the account's own pages.
    package var isAtAccount: Bool {
        if case .ended(let ended) = self { ended.answer == nil && ended.session != nil } else { false }
    }
}
