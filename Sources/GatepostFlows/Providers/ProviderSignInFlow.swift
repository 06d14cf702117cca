package import GatepostModel
package import GatepostStore

/// Signs people in with what another provider says of them: there and back, bound to one browser and one request.
///
/// Going there changes nothing but a row that says so. The answer is taken once, in the browser that was sent, for the
/// provider that it was sent to; whatever of provider, user and app was switched off meanwhile signs nobody in.
package struct ProviderSignInFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let client: ProviderClient
    let ending: SignInEnding
    let baseURL: String

    /// Wires the flow.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, client: ProviderClient,
        ending: SignInEnding, baseURL: String
    ) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
        (self.client, self.ending, self.baseURL) = (client, ending, baseURL)
    }

    /// Where a provider sends its answers: each has an address of its own, so that no two can be mistaken for one
    /// another (RFC 9700, section 4.4).
    package static func redirectURI(of provider: String, in app: AppID, baseURL: String) -> String {
        "\(baseURL)/apps/\(app)/providers/\(provider)/callback"
    }

    /// What beginning came to.
    package enum Start: Sendable {
        /// The browser goes there.
        case sent(location: String)
        case refused(Refusal)
    }

    /// Sends a browser to a provider.
    ///
    /// - Parameters:
    ///   - name: The provider.
    ///   - request: What the client that waits asked for.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Where to, or why not.
    /// - Throws: `PostgresError`.
    package func start(
        _ name: ProviderName, for request: AuthorizationRequestID, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Start {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        guard let browser = tokens.browser else {
            return .refused(try await refuse(Refusal(.invalidAuthorizationRequest), nil, in: scope, occasion))
        }
        let (verdict, (provider, waiting)) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(Limits.providerStart, for: origin.network, at: occasion.now)
                .and(
                    batch.identityProvider(name)
                        .and(batch.authorizationRequest(request, heldBy: browser, at: occasion.now)))
        }
        let refusal =
            Refusal(verdict) ?? Self.refusal(of: provider)
            ?? (waiting == nil ? Refusal(.invalidAuthorizationRequest) : nil)
        guard let provider, refusal == nil else {
            return .refused(
                try await refuse(refusal ?? Refusal(.unknownProvider), provider, in: scope, occasion))
        }
        switch await client.metadata(of: provider) {
        case .failure(let fault):
            return .refused(try await refuse(fault, provider, in: scope, occasion))
        case .success(let metadata):
            return try await send(
                request, heldBy: browser, to: provider, metadata, in: scope, occasion)
        }
    }

    /// Why a provider signs nobody in; nil if it does.
    static func refusal(of provider: IdentityProviderRecord?) -> Refusal? {
        guard let provider, provider.kind != nil else { return Refusal(.unknownProvider) }
        return provider.isEnabled ? nil : Refusal(.providerDisabled)
    }

    private func send(
        _ request: AuthorizationRequestID, heldBy browser: OneTimeToken, to provider: IdentityProviderRecord,
        _ metadata: ProviderMetadata, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Start {
        let (id, state): (ProviderSignInID, OneTimeToken) = (occasion.id(), .make(.providerState, random: random))
        let asked = asked(id, epoch: keys.currentEpoch, of: provider, in: scope, at: occasion.now)
        guard let asked else {
            return .refused(try await refuse(ProviderFault.unusableSettings, provider, in: scope, occasion))
        }
        let new = NewProviderSignIn(
            id: id, provider: provider.id, request: request, state: state, holder: browser,
            secretEpoch: asked.secrets.epoch, at: occasion.now)
        var event = occasion.event(.providerSignInStarted, by: .anyone)
        event.details = ["identity_provider": provider.id.description]
        let began = try await database.batch(in: scope) { [event] batch in
            let began = batch.insertProviderSignIn(new)
            batch.record(event)
            return began
        }
        guard began else {
            return .refused(
                try await refuse(Refusal(.invalidAuthorizationRequest), provider, in: scope, occasion))
        }
        return .sent(location: client.authorizationURL(of: provider, metadata, state: state, asked))
    }

    /// What one way asks, and its answer must fit; nil once the key epoch of the way has been retired.
    func asked(
        _ id: ProviderSignInID, epoch: Int16, of provider: IdentityProviderRecord, in scope: AppScope, at now: Instant
    ) -> ProviderClient.Asked? {
        ProviderSignInSecrets(app: scope.appID, signIn: id, epoch: epoch, keys: keys).map { secrets in
            ProviderClient.Asked(
                redirectURI: Self.redirectURI(of: provider.name, in: scope.appID, baseURL: baseURL), secrets: secrets,
                now: now)
        }
    }

    /// Records why a provider's answer, or its absence, signs nobody in.
    func refuse(
        _ fault: ProviderFault, _ provider: IdentityProviderRecord?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Refusal {
        try await record(fault.reason, provider, nil, in: scope, occasion)
        return fault.refusal
    }

    /// Records a refusal of ours.
    func refuse(
        _ refusal: Refusal, _ provider: IdentityProviderRecord?, user: UserID? = nil, in scope: AppScope,
        _ occasion: Occasion
    ) async throws -> Refusal {
        try await record(refusal.code.rawValue, provider, user, in: scope, occasion)
        return refusal
    }

    private func record(
        _ reason: String, _ provider: IdentityProviderRecord?, _ user: UserID?, in scope: AppScope,
        _ occasion: Occasion
    ) async throws {
        var event = occasion.event(.signInRefused, by: .anyone, userID: user, reason: reason)
        if let provider { event.details = ["identity_provider": provider.id.description] }
        try await database.batch(in: scope) { [event] in $0.record(event) }
    }
}
