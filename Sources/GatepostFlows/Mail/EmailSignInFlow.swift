package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Signs in by one mail with a link and a code: what a person has is their mailbox.
///
/// The code works where the sign-in began. The link works in the browser in which it began, by a click; anywhere else
/// it does nothing but say so, since mail scanners open links and press buttons. The flow is bound to app, address,
/// purpose, epoch and starter.
package struct EmailSignInFlow: Sendable {
    /// What it shares with the other flows of mails.
    package let parts: MailFlowParts
    let ending: SignInEnding

    /// Wires the flow.
    package init(parts: MailFlowParts, ending: SignInEnding) {
        (self.parts, self.ending) = (parts, ending)
    }

    /// How the mailbox was proved (RFC 8176): by a one-time code.
    static let methods = ["otp"]

    /// What a try to finish came to.
    package enum Outcome: Sendable {
        case ended(SignInEnding.Ended)
        case refused(Refusal)

        /// Why not; nil if it was done.
        package var refusal: Refusal? {
            if case .refused(let refusal) = self { refusal } else { nil }
        }
    }

    /// What a link shows before anyone clicks.
    package enum LinkState: Sendable {
        /// It may be used, or not, depending on the place; for what a client asked, if one waits.
        case standing(email: String, LinkPlace, AuthorizationRequestID?)
        case gone
    }

    /// Begins a sign-in for a client that has screens of its own.
    ///
    /// - Parameters:
    ///   - email: The address, known or not.
    ///   - client: Who asks, and where its code goes.
    ///   - locale: The person's language, as far as the request told.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What the caller holds from here on; the same for every address.
    /// - Throws: `PostgresError`.
    package func start(
        _ email: EmailAddress, to client: PasswordSignInFlow.Client, locale: String?, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> FlowStart {
        let occasion = parts.occasion(from: origin)
        let budgets = parts.limits.mail(to: email, from: origin, in: scope, at: occasion.now)
        let (registered, verdict) = try await parts.database.batch(in: scope, durability: .asynchronous) { batch in
            batch.client(client.id).and(batch.spend(budgets, at: occasion.now))
        }
        if let refusal = Refusal(verdict) { return try await refuse(refusal, in: scope, occasion) }
        guard let registered else { return try await refuse(Refusal(.unknownClient), in: scope, occasion) }
        guard let registration = registered.registration(of: client.redirectURI) else {
            return try await refuse(Refusal(.invalidRedirectURI), in: scope, occasion)
        }
        guard registered.party == .first else { return try await refuse(.hostedPagesOnly, in: scope, occasion) }
        let token = OneTimeToken.make(.flow, random: parts.random)
        var request = NewAuthorizationRequest(
            id: occasion.id(), clientID: client.id, redirectURI: client.redirectURI, challenge: client.challenge,
            holder: token, at: occasion.now)
        (request.locale, request.registeredURI) = (locale, registration)
        return try await begin(email, request.id, new: request, token: token, locale: locale, in: scope, occasion)
    }

    /// Begins a sign-in on a hosted page.
    ///
    /// - Parameters:
    ///   - email: The address, known or not.
    ///   - request: What the client that waits asked for; nil for the account's own pages.
    ///   - tokens: What the browser's cookies hold.
    ///   - locale: The language of the page.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: The flow, held by the browser's token, a new one if it has none; the same for every address.
    /// - Throws: `PostgresError`.
    package func start(
        _ email: EmailAddress, for request: AuthorizationRequestID?, by tokens: BrowserTokens, locale: String?,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> FlowStart {
        let occasion = parts.occasion(from: origin)
        let budgets = parts.limits.mail(to: email, from: origin, in: scope, at: occasion.now)
        let (visit, verdict) = try await parts.database.batch(in: scope, durability: .asynchronous) { batch in
            batch.visit(request, tokens, at: occasion.now).and(batch.spend(budgets, at: occasion.now))
        }
        if let refusal = Refusal(verdict) { return try await refuse(refusal, in: scope, occasion) }
        guard visit.goal != nil else {
            return try await refuse(Refusal(.invalidAuthorizationRequest), in: scope, occasion)
        }
        let browser = tokens.browser ?? .make(.browser, random: parts.random)
        return try await begin(email, request, new: nil, token: browser, locale: locale, in: scope, occasion)
    }

    /// The same statements for every address: only the mail differs, which is owed to whoever has an account.
    private func begin(
        _ email: EmailAddress, _ request: AuthorizationRequestID?, new: NewAuthorizationRequest?, token: OneTimeToken,
        locale: String?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> FlowStart {
        // The users of the built-in app are the admins: a mailbox alone makes nobody one.
        guard scope.appID != .gatepost else { return try await refuse(Refusal(.appNotFound), in: scope, occasion) }
        let flow = parts.newFlow(
            .emailSignIn, email, heldBy: token, locale: locale, life: Lifetimes.emailSignIn, in: scope, occasion)
        let user: UserID = occasion.id()
        try await parts.database.batch(in: scope) { batch in
            if scope.settings.emailSignUp == true {
                batch.insertUser(user, email: email, locale: locale, at: occasion.now)
                // Owed only if this very user came about: an address that has one is not told of again.
                batch.owe(.userCreated, about: user, at: occasion.now)
            }
            batch.supersedeFlows(.emailSignIn, of: email, at: occasion.now)
            if let new { batch.insertAuthorizationRequest(new) }
            batch.insertFlow(flow, for: request)
            batch.enqueue(
                .emailSignIn, occasion.id(), of: flow,
                recipientHash: parts.keys.recipientHash(email, in: scope.appID), at: occasion.now)
            batch.record(occasion.event(.emailSignInStarted, by: .anyone, flowID: flow.id))
        }
        parts.signal.raise()
        return .started(StartedFlow(flow))
    }

    private func refuse(_ refusal: Refusal, in scope: AppScope, _ occasion: Occasion) async throws -> FlowStart {
        try await parts.record(refusal, as: .signInRefused, in: scope, occasion)
        return .refused(refusal)
    }
}
