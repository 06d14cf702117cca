package import GatepostFlows
package import GatepostModel
package import GatepostStore

/// The steps from a sign-up to tokens, for tests that begin where a step before has succeeded.
extension TestFlows {
    /// A step that a test builds on did not succeed.
    package struct StepRefused: Error {
        /// Why, in the flow's own words.
        package let refusal: Refusal?

        /// Says why.
        package init(refusal: Refusal?) {
            self.refusal = refusal
        }
    }

    /// Begins a sign-up.
    package func signUp(
        _ email: EmailAddress, password: Secret = TestFlows.password
    ) async throws -> SignUpFlow.Started {
        switch try await flows.signUp.start(email, password: password, in: scope, from: Self.origin) {
        case .started(let started): return started
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// What the mail of a sign-up says, derived as the worker does.
    package func secrets(of flow: FlowID) -> FlowSecrets? {
        FlowSecrets(app: app.id, flow: flow, kind: .signUp, epoch: app.keys.currentEpoch, keys: app.keys)
    }

    /// The token in the link that a sign-up's mail carries.
    package func link(of flow: FlowID) throws -> OneTimeToken {
        guard let secrets = secrets(of: flow) else { throw StepRefused(refusal: nil) }
        return secrets.linkToken
    }

    /// Signs a user up and proves the address.
    @discardableResult
    package func verifiedUser(_ email: EmailAddress, password: Secret = TestFlows.password) async throws -> UserID {
        let started = try await signUp(email, password: password)
        let outcome = try await flows.verification.confirm(
            link(of: started.flow), startedBy: started.token, in: scope, from: Self.origin)
        switch outcome {
        case .verified(let user): return user
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// The client as it asks for a sign-in.
    package func client(redirectURI: String = TestFlows.redirectURI) throws -> PasswordSignInFlow.Client {
        PasswordSignInFlow.Client(id: app.client, redirectURI: redirectURI, challenge: try Self.challenge())
    }

    /// The challenge that the client's verifier answers.
    package static func challenge(verifier: String = TestFlows.codeVerifier) throws -> CodeChallenge {
        guard let challenge = CodeChallenge(verifier: verifier) else { throw StepRefused(refusal: nil) }
        return challenge
    }

    /// Signs in and returns the one-time code.
    package func signIn(_ email: EmailAddress, password: Secret = TestFlows.password) async throws -> OneTimeToken {
        let outcome = try await flows.signIn.signIn(
            email, password: password, to: client(), in: scope, from: Self.origin)
        switch outcome {
        case .passed(let code): return code
        case .factorAsked: throw StepRefused(refusal: nil)
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// Exchanges a code as its client does; nil if that is refused.
    package func exchange(
        _ code: OneTimeToken, client: ClientID? = nil, redirectURI: String = TestFlows.redirectURI,
        verifier: String = TestFlows.codeVerifier, idTokensBy algorithm: SigningAlgorithm = .es256
    ) async throws -> TokenAnswer? {
        let presented = CodePresentation(
            code: code, clientID: client ?? app.client, redirectURI: redirectURI,
            challenge: try Self.challenge(verifier: verifier))
        return try await flows.codeExchange.exchange(presented, idTokensBy: algorithm, in: scope, from: Self.origin)
    }

    /// Signs a verified user in and exchanges the code.
    package func tokens(_ email: EmailAddress) async throws -> TokenAnswer {
        guard let answer = try await exchange(signIn(email)) else { throw StepRefused(refusal: nil) }
        return answer
    }

    /// Exchanges a refresh token as its client does; nil if that is refused.
    package func refresh(
        _ token: OneTimeToken, client: ClientID? = nil, idTokensBy algorithm: SigningAlgorithm = .es256
    ) async throws -> TokenAnswer? {
        try await flows.refresh.refresh(
            token, by: client ?? app.client, idTokensBy: algorithm, in: scope, from: Self.origin)
    }

    /// The session of an access token; nil if it may not be used.
    package func session(_ answer: TokenAnswer) async throws -> LiveSession? {
        let outcome = try await flows.session.session(ofAccessToken: answer.accessToken.revealed, in: scope)
        guard case .live(let session) = outcome else { return nil }
        return session
    }
}
