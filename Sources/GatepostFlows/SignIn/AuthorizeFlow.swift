package import GatepostModel
package import GatepostStore

/// What a browser holds of an app: the tokens in its cookies, if it has been here.
package struct BrowserTokens: Sendable {
    /// Tells it from other browsers.
    package let browser: OneTimeToken?
    /// Says that somebody is signed in there.
    package let session: OneTimeToken?

    /// Gathers what the cookies say.
    package init(browser: OneTimeToken?, session: OneTimeToken?) {
        (self.browser, self.session) = (browser, session)
    }
}

/// Takes what a client asks for by way of a browser (RFC 6749, section 4.1.1), and answers at once or asks the person.
///
/// Client and redirect URI come first: until both are known to be right, nobody is sent anywhere, and whoever made the
/// address up gets a page of ours. What else is wrong goes back to the client.
package struct AuthorizeFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let ending: SignInEnding
    let verifier: TokenVerifier

    /// Wires the flow.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, ending: SignInEnding,
        verifier: TokenVerifier
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.ending, self.verifier) = (ending, verifier)
    }

    /// What a client's request came to.
    package enum Outcome: Sendable {
        /// The person is to be asked; the request waits in the browser that holds this token.
        case begun(AuthorizationRequestID, holder: OneTimeToken)
        /// The browser is signed in already, and the person is to be asked what the client may be told.
        case consentNeeded(AuthorizationRequestID, holder: OneTimeToken)
        /// The browser is signed in already.
        case answered(SignInEnding.Answer)
        /// The browser is signed in, and a second factor is asked for; the request waits in it.
        case challenged(SignInEnding.Challenge, holder: OneTimeToken)
        /// The client is told why not, at this address.
        case sentBack(location: String)
        /// Nobody is sent anywhere.
        case refused(Refusal)
    }

    /// Begins the way of a browser to an answer.
    ///
    /// - Parameters:
    ///   - presented: The client's parameters, or the name of pushed ones.
    ///   - locale: Which of the languages that there are is the first that a client names.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What is to be done.
    /// - Throws: `PostgresError`.
    package func begin(
        _ presented: AuthorizationParameters, locale: (String) -> String?, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let id = presented["client_id"].flatMap { ClientID($0) }
        let ((client, session), verdict) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            let session = tokens.session.map { batch.hostedSession($0, at: occasion.now) } ?? batch.nothing()
            return (id.map { batch.client($0) } ?? batch.nothing()).and(session)
                .and(batch.spend(Limits.authorize(from: origin, in: scope), at: occasion.now))
        }
        if let refusal = Refusal(verdict) {
            // Written down once, not for each: else there would be no limit to the events.
            return verdict.isFirstRefusal ? try await refuse(refusal, id, in: scope, occasion) : .refused(refusal)
        }
        guard let client else { return try await refuse(Refusal(.unknownClient), nil, in: scope, occasion) }
        guard let asked = try await resolve(presented, of: client.id, in: scope, at: occasion.now) else {
            return try await refuse(Refusal(.invalidAuthorizationRequest), client.id, in: scope, occasion)
        }
        guard let redirectURI = asked["redirect_uri"], let registered = client.registration(of: redirectURI) else {
            return try await refuse(Refusal(.invalidRedirectURI), client.id, in: scope, occasion)
        }
        guard presented.pushedToken != nil || !client.requiresPushed else {
            let error = AuthorizationError(.invalidRequest, "This client pushes its requests (RFC 9126).")
            return try await sendBack(asked, error, to: redirectURI, client.id, in: scope, occasion)
        }
        guard asked.error == nil, let challenge = asked.challenge else {
            return try await sendBack(asked, asked.error, to: redirectURI, client.id, in: scope, occasion)
        }
        let expected = try await expected(by: asked, of: client.id, in: scope)
        if let error = expected.error {
            return try await sendBack(asked, error, to: redirectURI, client.id, in: scope, occasion)
        }
        var request = NewAuthorizationRequest(
            id: occasion.id(), clientID: client.id, redirectURI: redirectURI, challenge: challenge,
            holder: tokens.browser ?? .make(.browser, random: random), at: occasion.now)
        (request.state, request.nonce, request.scope) = (asked["state"], asked["nonce"], asked.scope)
        (request.loginHint, request.locale) = (asked.loginHint?.ascii, asked["ui_locales"].flatMap(locale))
        (request.registeredURI, request.authenticatedAfter) = (registered, asked.authenticatedAfter(at: occasion.now))
        (request.asksConsent, request.expectedUserID) = (asked.prompts.contains("consent"), expected.userID)
        request.requiresFactor = asked.requiresFactor
        return try await begin(request, asked, session, in: scope, occasion)
    }

    /// Answers for whoever is signed in, where that may be done; else asks the person, or says that nobody is there.
    private func begin(
        _ request: NewAuthorizationRequest, _ asked: AuthorizationParameters, _ session: HostedSession?,
        in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        let isAlone = asked.prompts.contains("none")
        if let session, Self.isSilent(request.redirectURI, of: scope.appID),
            Self.mayAnswer(session, asked, for: request.expectedUserID, at: occasion.now),
            let ended = try await answer(request, by: session, isAlone: isAlone, in: scope, occasion)
        {
            if let answer = ended.answer { return .answered(answer) }
            if let challenge = ended.challenge {
                // A session that is not of this moment sets up no authenticator: whoever is there signs in again.
                let isRecent = occasion.now - session.authenticatedAt <= Lifetimes.recentSignIn
                return challenge.hasFactor || isRecent
                    ? .challenged(challenge, holder: request.holder) : .begun(request.id, holder: request.holder)
            }
            if let consent = ended.consent {
                guard isAlone else { return .consentNeeded(consent, holder: request.holder) }
                let error = AuthorizationError(.consentRequired, "The user has not let this client in.")
                return try await sendBack(asked, error, to: request.redirectURI, request.clientID, in: scope, occasion)
            }
        }
        guard !isAlone else {
            let error = AuthorizationError(.loginRequired, "Nobody is signed in here, or not by what is asked for.")
            return try await sendBack(asked, error, to: request.redirectURI, request.clientID, in: scope, occasion)
        }
        try await database.batch(in: scope) { $0.insertAuthorizationRequest(request) }
        return .begun(request.id, holder: request.holder)
    }

    /// What a client asks for: what the address says, or what was pushed and the address only names.
    ///
    /// What else stands in such an address counts for nothing (RFC 9101, section 6.3). Reading uses it up; nil for what
    /// has been used, has expired or is another client's.
    private func resolve(
        _ presented: AuthorizationParameters, of client: ClientID, in scope: AppScope, at now: Instant
    ) async throws -> AuthorizationParameters? {
        guard let token = presented.pushedToken else { return presented }
        let text = try await database.batch(in: scope) { $0.consumePushedRequest(token, of: client, at: now) }
        return try text.map(AuthorizationParameters.init(text:))
    }

    /// Whether a client may be answered without anybody's click.
    ///
    /// Only behind TLS does an address say who the client is: any program of the same machine can listen at a port or
    /// take a private scheme, and could otherwise have itself signed in (RFC 8252, section 8.6). Admins are always
    /// asked.
    private static func isSilent(_ redirectURI: String, of app: AppID) -> Bool {
        redirectURI.hasPrefix("https://") && app != .gatepost
    }

    /// Whether the session that the browser has is what the client asks for.
    private static func mayAnswer(
        _ session: HostedSession, _ asked: AuthorizationParameters, for expected: UserID?, at now: Instant
    ) -> Bool {
        guard expected ?? session.user.id == session.user.id else { return false }
        guard asked.prompts.isDisjoint(with: ["login", "select_account"]) else { return false }
        if let maxAge = asked.maxAge, now - session.authenticatedAt > maxAge { return false }
        // Whoever is expected to be somebody else is asked, and not signed in as who they are not.
        return asked.loginHint.map { $0.canonical == session.user.email.lowercased() } ?? true
    }

    /// Answers for whoever is signed in, in one transaction; nil if the session ended at that very moment, and where
    /// nobody is there to be asked for more.
    ///
    /// A request that nobody is there for and that is not answered is over: whatever the person does next in this
    /// browser is not for it.
    private func answer(
        _ request: NewAuthorizationRequest, by session: HostedSession, isAlone: Bool, in scope: AppScope,
        _ occasion: Occasion
    ) async throws -> SignInEnding.Ended? {
        let proof = SignInProof(of: session)
        return try await database.batch(in: scope) { batch in
            batch.insertAuthorizationRequest(request, ifStands: proof)
            let ended = ending.add(
                .request(request.id, heldBy: request.holder), for: proof, .kept(session.id), isAlone: isAlone,
                to: &batch, from: occasion.origin, at: occasion.now)
            if isAlone { batch.withdrawAuthorizationRequest(request.id, at: occasion.now) }
            return ended
        }
    }

    private func sendBack(
        _ asked: AuthorizationParameters, _ error: AuthorizationError?, to redirectURI: String, _ client: ClientID,
        in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        let error = error ?? AuthorizationError(.invalidRequest, "The request is incomplete.")
        try await record(error.code.rawValue, client, in: scope, occasion)
        let issuer = TokenIssuer.issuer(of: scope.appID, baseURL: ending.baseURL)
        return .sentBack(
            location: error.location(AnsweredRequest(redirectURI: redirectURI, state: asked["state"]), issuer: issuer))
    }

    private func refuse(
        _ refusal: Refusal, _ client: ClientID?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        try await record(refusal.code.rawValue, client, in: scope, occasion)
        return .refused(refusal)
    }

    private func record(
        _ reason: String, _ client: ClientID?, in scope: AppScope, _ occasion: Occasion
    ) async throws {
        try await database.batch(in: scope) { batch in
            batch.record(occasion.event(.signInRefused, by: .anyone, clientID: client, reason: reason))
        }
    }
}
