package import GatepostFlows
package import GatepostModel
import GatepostStore

/// A browser at the hosted pages, for tests that begin where somebody is signed in.
extension TestFlows {
    /// Signs somebody in by password for their account, in a new browser or in one that has been here.
    package func signedInBrowser(
        _ email: EmailAddress, in browser: BrowserTokens? = nil
    ) async throws -> BrowserTokens {
        let tokens = browser ?? BrowserTokens(browser: .make(.browser, random: app.random), session: nil)
        let outcome = try await flows.signIn.signIn(
            email, password: Self.password, for: nil, by: tokens, in: scope, from: Self.origin)
        guard case .ended(let ended) = outcome else { throw StepRefused(refusal: nil) }
        return BrowserTokens(browser: tokens.browser, session: ended.session)
    }

    /// Sends a browser to the authorize endpoint, as the app's client does.
    package func authorize(
        _ changes: [String: String], by tokens: BrowserTokens
    ) async throws -> AuthorizeFlow.Outcome {
        var values = [
            "response_type": "code", "client_id": "\(app.client)", "redirect_uri": Self.redirectURI,
            "code_challenge": try Self.challenge().text, "code_challenge_method": "S256",
        ]
        values.merge(changes) { $1 }
        return try await flows.authorize.begin(
            AuthorizationParameters(values.map { ($0.key, $0.value) }), locale: { _ in nil }, by: tokens, in: scope,
            from: Self.origin)
    }
}
