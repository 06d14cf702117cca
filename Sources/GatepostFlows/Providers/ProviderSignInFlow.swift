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

    /// What a browser goes to a provider for.
    package enum Purpose: Sendable {
        /// A client that waits.
        case request(AuthorizationRequestID)
        /// The account's own pages.
        case account
        /// An identity more for whoever is signed in in this browser.
        case link(Asking)
    }

    /// What beginning came to.
    package enum Start: Sendable {
        /// The browser goes there, and keeps the token that tells it from others.
        case sent(location: String, holder: OneTimeToken)
        case refused(Refusal)
    }

    /// Sends a browser to a provider.
    ///
    /// - Parameters:
    ///   - name: The provider.
    ///   - purpose: What for.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Where to, or why not.
    /// - Throws: `PostgresError`.
    package func start(
        _ name: ProviderName, for purpose: Purpose, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Start {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let holder = tokens.browser ?? .make(.browser, random: random)
        let recorded: ProviderPurpose
        switch purpose {
        case .account: recorded = .account
        case .request(let request):
            guard tokens.browser != nil else {
                return .refused(try await refuse(Refusal(.invalidAuthorizationRequest), nil, in: scope, occasion))
            }
            recorded = .request(request)
        case .link(let asking):
            if let refusal = try await refusal(of: asking, in: scope, occasion) { return .refused(refusal) }
            recorded = .link(asking.link)
        }
        let way = Beginning(
            purpose: recorded, state: .make(.providerState, random: random), holder: holder, back: nil, request: nil)
        switch try await begin(way, at: name, in: scope, occasion) {
        case .success(let location): return .sent(location: location, holder: holder)
        case .failure(let refusal): return .refused(refusal.refusal)
        }
    }

    /// Why somebody may not link an identity now; nil if they may.
    ///
    /// A way in more is as good as a password, so it takes more than a session that somebody left open.
    func refusal(of asking: Asking, in scope: AppScope, _ occasion: Occasion) async throws -> Refusal? {
        guard occasion.now - asking.authenticatedAt > Lifetimes.recentSignIn else { return nil }
        return try await refuse(
            Refusal(.recentSignInRequired), nil, user: asking.user.id, in: scope, occasion)
    }

    /// Why a provider signs nobody in; nil if it does.
    static func refusal(of provider: IdentityProviderRecord?) -> Refusal? {
        guard let provider, provider.kind != nil else { return Refusal(.unknownProvider) }
        return provider.isEnabled ? nil : Refusal(.providerDisabled)
    }

    /// A way as it is about to begin.
    struct Beginning: Sendable {
        let purpose: ProviderPurpose
        let state: OneTimeToken
        let holder: OneTimeToken
        /// Where an app's own screens go on.
        let back: ProviderReturn?
        /// What a client asks for by the JSON API, written down with the way.
        let request: NewAuthorizationRequest?
    }

    /// Why a way did not begin.
    struct NotBegun: Error {
        let refusal: Refusal
    }

    /// Begins a way: counts it, asks the provider where its pages are, and writes the way down.
    func begin(
        _ way: Beginning, at name: ProviderName, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Result<String, NotBegun> {
        let (verdict, (provider, isWaiting)) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(Limits.providerStart, for: occasion.origin.network, at: occasion.now)
                .and(batch.identityProvider(name).and(waiting(way, in: &batch, at: occasion.now)))
        }
        let refusal =
            Refusal(verdict) ?? Self.refusal(of: provider)
            ?? (isWaiting ? nil : Refusal(.invalidAuthorizationRequest))
        guard let provider, refusal == nil else {
            return .failure(
                NotBegun(
                    refusal: try await refuse(refusal ?? Refusal(.unknownProvider), provider, in: scope, occasion)))
        }
        switch await client.metadata(of: provider) {
        case .failure(let fault):
            return .failure(NotBegun(refusal: try await refuse(fault, provider, in: scope, occasion)))
        case .success(let metadata):
            return try await send(way, to: provider, metadata, in: scope, occasion)
        }
    }

    /// Whether the client's request that a way is for waits in this browser; true where there is none.
    private func waiting(_ way: Beginning, in batch: inout AppBatch, at now: Instant) -> BatchReading<Bool> {
        guard case .request(let request) = way.purpose, way.request == nil else {
            return batch.nothing().map { (_: Bool?) in true }
        }
        return batch.authorizationRequest(request, heldBy: way.holder, at: now).map { $0 != nil }
    }

    private func send(
        _ way: Beginning, to provider: IdentityProviderRecord, _ metadata: ProviderMetadata, in scope: AppScope,
        _ occasion: Occasion
    ) async throws -> Result<String, NotBegun> {
        let id: ProviderSignInID = occasion.id()
        let asked = asked(id, epoch: keys.currentEpoch, of: provider, in: scope, at: occasion.now)
        guard let asked else {
            let fault = ProviderFault.unusableSettings
            return .failure(NotBegun(refusal: try await refuse(fault, provider, in: scope, occasion)))
        }
        var new = NewProviderSignIn(
            id: id, provider: provider.id, purpose: way.purpose, state: way.state, holder: way.holder,
            secretEpoch: asked.secrets.epoch, at: occasion.now)
        new.back = way.back
        var event = occasion.event(.providerSignInStarted, by: .anyone)
        event.details = ["identity_provider": provider.id.description]
        let began = try await database.batch(in: scope) { [event, new] batch in
            if let request = way.request { batch.insertAuthorizationRequest(request) }
            let began = batch.insertProviderSignIn(new)
            batch.record(event)
            return began
        }
        guard began else {
            let isLink = if case .link = way.purpose { true } else { false }
            let refusal = Refusal(isLink ? .sessionEnded : .invalidAuthorizationRequest)
            return .failure(NotBegun(refusal: try await refuse(refusal, provider, in: scope, occasion)))
        }
        return .success(client.authorizationURL(of: provider, metadata, state: way.state, asked))
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
