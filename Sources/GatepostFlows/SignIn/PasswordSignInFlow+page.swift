package import GatepostModel
package import GatepostStore

/// Signing in by password on the hosted page: the same limit and the same hash, another ending.
extension PasswordSignInFlow {
    /// What a try on the page came to.
    package enum PageOutcome: Sendable {
        case ended(SignInEnding.Ended)
        case refused(Refusal)
    }

    /// Tries an address and a password that somebody typed on the page.
    ///
    /// - Parameters:
    ///   - email: The address.
    ///   - password: The password.
    ///   - request: What the client that waits asked for; nil for the account's own pages.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What came of it.
    /// - Throws: `PostgresError`.
    package func signIn(
        _ email: EmailAddress, password: Secret, for request: AuthorizationRequestID?, by tokens: BrowserTokens,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> PageOutcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let budgets = limits.proof(of: email, from: origin, in: scope, at: occasion.now)
        let ((visit, credential), verdict) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.visit(request, tokens, at: occasion.now).and(batch.passwordCredential(of: email))
                .and(batch.spend(budgets, at: occasion.now))
        }
        let client = visit.request?.clientID
        if let refusal = Refusal(verdict) { return try await refusePage(refusal, client, in: scope, occasion) }
        guard let goal = visit.goal else {
            return try await refusePage(Refusal(.invalidAuthorizationRequest), client, in: scope, occasion)
        }
        let (refusal, stronger) = try await prove(password, credential)
        guard let credential, refusal == nil else {
            return try await refusePage(
                (refusal ?? Refusal(.invalidCredentials)).counted(verdict), client, in: scope, occasion,
                user: credential?.userID, compared: budgets)
        }
        // The hash took a while: what begins, begins now.
        let now = clock.now
        let proof = SignInProof(
            userID: credential.userID, authEpoch: credential.authEpoch, amr: ["pwd"], authenticatedAt: now,
            condition: .credential(version: credential.version))
        let ended = try await database.batch(in: scope) { batch in
            let ended = ending.add(
                goal, for: proof, .new(replacing: visit.session?.id), to: &batch, from: origin, at: now)
            if let stronger { batch.replaceHash(stronger, of: credential.userID, version: credential.version) }
            batch.refund(limits.earned(budgets, by: email), at: occasion.now)
            return ended
        }
        guard let ended else {
            // Somebody else answered the request meanwhile, or the password was changed: the page can tell neither.
            return try await refusePage(
                Refusal(.invalidAuthorizationRequest), client, in: scope, occasion, user: credential.userID)
        }
        return .ended(ended)
    }

    private func refusePage(
        _ refusal: Refusal, _ client: ClientID?, in scope: AppScope, _ occasion: Occasion, user: UserID? = nil,
        compared budgets: RateBudgets? = nil
    ) async throws -> PageOutcome {
        try await recordRefusal(refusal, client, in: scope, occasion, user: user, compared: budgets)
        return .refused(refusal)
    }
}
