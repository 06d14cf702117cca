package import GatepostModel
package import GatepostStore

/// Ways that an app begins whose screens are its own: it gets the provider's address, and the browser comes back to it.
///
/// Nothing in the browser says who began such a way. What binds it is what binds every client's request: the answer
/// goes to a registered redirect URI and is worth nothing without the PKCE verifier, or the session, of whoever began.
extension ProviderSignInFlow {
    /// A way that was begun.
    package struct Begun: Sendable {
        /// Where the app sends the person's browser.
        package let location: String
        package let expiresAt: Instant
    }

    /// What beginning came to.
    package enum AppStart: Sendable {
        case begun(Begun)
        case refused(Refusal)
    }

    /// Begins a sign-in with a provider for a client.
    ///
    /// - Parameters:
    ///   - name: The provider.
    ///   - client: Which client asks, and where its code will be sent.
    ///   - state: What it wants back with the code.
    ///   - nonce: What its ID token is to repeat.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Where to send the browser, or why not.
    /// - Throws: `PostgresError`.
    package func start(
        _ name: ProviderName, for client: PasswordSignInFlow.Client, state: String?, nonce: String? = nil,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> AppStart {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        // Admins are asked on the pages whenever somebody signs in as them.
        guard scope.appID != .gatepost else { return try await refused(Refusal(.unknownProvider), in: scope, occasion) }
        let registered = try await database.batch(in: scope) { $0.client(client.id) }
        guard let registered else { return try await refused(Refusal(.unknownClient), in: scope, occasion) }
        guard registered.allows(client.redirectURI) else {
            return try await refused(Refusal(.invalidRedirectURI), in: scope, occasion)
        }
        guard registered.party == .first else { return try await refused(.hostedPagesOnly, in: scope, occasion) }
        guard mayAnswerUnasked(client.redirectURI) else {
            return try await refused(Refusal(.redirectNeedsClick), in: scope, occasion)
        }
        let holder = OneTimeToken.make(.providerState, random: random)
        var request = NewAuthorizationRequest(
            id: occasion.id(), clientID: client.id, redirectURI: client.redirectURI, challenge: client.challenge,
            holder: holder, at: occasion.now)
        (request.state, request.nonce) = (state, nonce)
        return try await begin(
            .request(request.id), holder, back: ProviderReturn(redirectURI: client.redirectURI, state: state), request,
            at: name, in: scope, occasion)
    }

    /// Begins linking an identity for a user who is signed in, and has been asked who they are a moment ago.
    ///
    /// - Parameters:
    ///   - name: The provider.
    ///   - asking: Who, and from which session.
    ///   - client: The session's client.
    ///   - redirectURI: Where the browser goes afterwards.
    ///   - state: What the app wants back.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Where to send the browser, or why not.
    /// - Throws: `PostgresError`.
    package func startLink(
        _ name: ProviderName, for asking: Asking, client: ClientID, backTo redirectURI: String, state: String?,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> AppStart {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        if let refusal = try await refusal(of: asking, in: scope, occasion) { return .refused(refusal) }
        let registered = try await database.batch(in: scope) { $0.client(client) }
        guard let registered, registered.allows(redirectURI) else {
            return try await refused(Refusal(.invalidRedirectURI), in: scope, occasion)
        }
        return try await begin(
            .link(asking.link), .make(.providerState, random: random),
            back: ProviderReturn(redirectURI: redirectURI, state: state), nil, at: name, in: scope, occasion)
    }

    private func begin(
        _ purpose: ProviderPurpose, _ holder: OneTimeToken, back: ProviderReturn, _ request: NewAuthorizationRequest?,
        at name: ProviderName, in scope: AppScope, _ occasion: Occasion
    ) async throws -> AppStart {
        let way = Beginning(purpose: purpose, state: holder, holder: holder, back: back, request: request)
        switch try await begin(way, at: name, in: scope, occasion) {
        case .success(let location):
            return .begun(Begun(location: location, expiresAt: occasion.now + Lifetimes.providerSignIn))
        case .failure(let why): return .refused(why.refusal)
        }
    }

    private func refused(_ refusal: Refusal, in scope: AppScope, _ occasion: Occasion) async throws -> AppStart {
        .refused(try await refuse(refusal, nil, in: scope, occasion))
    }

    /// Whether nobody needs to be asked on a page of ours before a code goes to this address.
    ///
    /// The provider may answer without a click. Behind TLS the address then says who gets the code; a port or a private
    /// scheme of the same machine does not (RFC 8252, section 8.6), so such clients send the browser to the authorize
    /// endpoint, whose page asks. Without TLS of our own this is a machine on which somebody develops.
    private func mayAnswerUnasked(_ redirectURI: String) -> Bool {
        redirectURI.hasPrefix("https://") || !baseURL.hasPrefix("https://")
    }

    /// Tells the app what came of a way, with the codes of RFC 6749, section 4.1.2.1.
    func sentBack(_ outcome: Outcome, to back: ProviderReturn, in scope: AppScope) -> Outcome {
        let error: String
        let description: String
        switch outcome {
        case .sentBack: return outcome
        case .ended(let ended):
            guard let location = ended.answer?.location else { return outcome }
            return .sentBack(location: location)
        case .linked: return outcome
        case .accountNeeded:
            error = "interaction_required"
            description = "What the provider says is not enough here: sign in, or up, another way, and then link it."
        case .refused(let refusal, _):
            error = refusal.code == .providerUnavailable ? "temporarily_unavailable" : "access_denied"
            description = refusal.code.title
        }
        return .sentBack(
            location: RedirectLocation.text(
                back.redirectURI,
                [
                    ("error", error), ("error_description", description), ("state", back.state),
                    ("iss", TokenIssuer.issuer(of: scope.appID, baseURL: baseURL)),
                ]))
    }
}
