package import GatepostModel
import GatepostOutbox
package import GatepostStore
import Postgres

/// The way back: what the provider's answer comes to.
extension ProviderSignInFlow {
    /// What a provider sent back with the browser (RFC 6749, section 4.1.2; RFC 9207).
    package struct Answer: Sendable {
        package let state: String?
        package let code: String?
        package let error: String?
        package let issuer: String?

        /// Gathers the parameters that are read.
        package init(state: String?, code: String?, error: String?, issuer: String?) {
            (self.state, self.code, self.error, self.issuer) = (state, code, error, issuer)
        }
    }

    /// What taking an answer came to.
    package enum Outcome: Sendable {
        case ended(SignInEnding.Ended)
        /// The identity is nobody's yet: it waits until its address' owner signs in, or up, for the same request.
        case accountNeeded(AuthorizationRequestID?, Claim)
        /// It is the signed-in user's from here on.
        case linked
        /// The browser goes back to the app that sent it, whatever came of it.
        case sentBack(location: String)
        /// With the way that the browser came on, if the answer belonged to one.
        case refused(Refusal, ProviderPurpose?)
    }

    /// What a provider says that waits to be proved.
    package struct Claim: Sendable {
        package let providerLabel: String
        package let email: EmailAddress
        package let emailIsVerified: Bool
    }

    /// What is known of a way whose answer has been taken.
    struct Way: Sendable {
        let provider: IdentityProviderRecord
        let signIn: ConsumedProviderSignIn
        /// The browser's token, or the state where an app began the way.
        let holder: OneTimeToken
        /// Who is signed in to the pages in this browser.
        let session: HostedSession?
        let scope: AppScope
        let occasion: Occasion

        /// What the sign-in is for; a way that links ends otherwise.
        var goal: SignInEnding.Goal {
            if case .request(let request) = signIn.purpose { return .request(request, heldBy: holder) }
            return .account(browser: holder)
        }

        /// An app with screens of its own keeps no session with the pages.
        var hosting: SignInEnding.Hosting { signIn.back == nil ? .new(replacing: session?.id) : .none }
    }

    /// Takes a provider's answer.
    ///
    /// - Parameters:
    ///   - answer: What came back.
    ///   - name: The provider whose redirect URI it came to.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What came of it.
    /// - Throws: `PostgresError`.
    package func take(
        _ answer: Answer, from name: ProviderName, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        guard let state = answer.state.flatMap({ OneTimeToken(.providerState, presented: $0) }) else {
            return .refused(try await refuse(Refusal(.invalidProviderAnswer), nil, in: scope, occasion), nil)
        }
        let (signIn, (provider, session)) = try await database.batch(in: scope) { batch in
            let session = tokens.session.map { batch.hostedSession($0, at: occasion.now) } ?? batch.nothing()
            return batch.consumeProviderSignIn(state: state, heldBy: tokens.browser, at: name, at: occasion.now)
                .and(batch.identityProvider(name).and(session))
        }
        guard let provider, let signIn, let holder = signIn.back == nil ? tokens.browser : state else {
            let refusal = Refusal(provider == nil ? .unknownProvider : .invalidProviderAnswer)
            return .refused(try await refuse(refusal, provider, in: scope, occasion), nil)
        }
        let way = Way(
            provider: provider, signIn: signIn, holder: holder, session: session, scope: scope, occasion: occasion)
        let outcome = try await follow(way, with: answer)
        return signIn.back.map { sentBack(outcome, to: $0, in: scope) } ?? outcome
    }

    private func follow(_ way: Way, with answer: Answer) async throws -> Outcome {
        if let refusal = Self.refusal(of: way.provider) { return try await refuse(refusal, way) }
        switch await redeem(answer, on: way) {
        case .failure(let fault):
            return .refused(try await refuse(fault, way.provider, in: way.scope, way.occasion), way.signIn.purpose)
        case .success(let redeemed):
            return try await settle(redeemed, on: way)
        }
    }

    /// Checks what came, and redeems the code.
    private func redeem(_ answer: Answer, on way: Way) async -> Result<ProviderClient.Redeemed, ProviderFault> {
        let metadata: ProviderMetadata
        switch await client.metadata(of: way.provider) {
        case .success(let known): metadata = known
        case .failure(let fault): return .failure(fault)
        }
        if let issuer = answer.issuer, Array(issuer.utf8) != Array(way.provider.issuer.utf8) {
            return .failure(.issuerMismatch)
        }
        if metadata.promisesIssuer, answer.issuer == nil { return .failure(.issuerMismatch) }
        guard answer.error == nil, let code = answer.code else { return .failure(.declined) }
        let asked = asked(
            way.signIn.id, epoch: way.signIn.secretEpoch, of: way.provider, in: way.scope, at: way.occasion.now)
        guard let asked else { return .failure(.unusableSettings) }
        return await client.redeem(code, at: way.provider, in: way.scope.appID, metadata, asked)
    }

    /// Signs in whoever the identity is of; else sees whether it may become somebody's.
    ///
    /// The provider was asked for a while: what was switched off meanwhile is looked at again.
    private func settle(_ redeemed: ProviderClient.Redeemed, on way: Way) async throws -> Outcome {
        let (profile, name) = (redeemed.profile, way.provider.id)
        let (provider, holder) = try await database.batch(in: way.scope) { batch in
            batch.identityProvider(name)
                .and(batch.identityHolder(issuer: way.provider.issuer, subject: profile.subject))
        }
        if let refusal = Self.refusal(of: provider) { return try await refuse(refusal, way) }
        if case .link(let link) = way.signIn.purpose { return try await self.link(redeemed, as: link, on: way) }
        if let holder { return try await signIn(holder, redeemed, on: way) }
        guard let email = profile.email else {
            let refusal = try await refuse(ProviderFault.noEmail, way.provider, in: way.scope, way.occasion)
            return .refused(refusal, way.signIn.purpose)
        }
        let id: UserIdentityID = way.occasion.id()
        let proven = ProvenIdentity(
            id: id, subject: profile.subject, email: email, emailIsVerified: profile.emailIsVerified,
            tokensSealed: try sealed(redeemed, for: id, on: way))
        // The users of the built-in app are the admins; nobody makes themselves one.
        let maySignUp = way.provider.allowsSignUp && way.scope.appID != .gatepost
        if profile.emailIsVerified, maySignUp, let outcome = try await signUp(proven, email, on: way) {
            return outcome
        }
        if profile.emailIsVerified, !maySignUp {
            let user = try await database.batch(in: way.scope) { $0.user(email: email) }
            guard user != nil else { return try await refuse(Refusal(.signUpNotAllowed), way) }
        }
        let claim = Claim(providerLabel: way.provider.label, email: email, emailIsVerified: profile.emailIsVerified)
        guard case .request(let request) = way.signIn.purpose else { return try await wait(claim, proven, on: way) }
        try await database.batch(in: way.scope) { batch in
            batch.proveProviderSignIn(way.signIn.id, proven, at: way.occasion.now)
        }
        return .accountNeeded(request, claim)
    }

    /// Lets what was proved wait for a sign-in to the account's own pages, if the provider answers for the address.
    ///
    /// Where it does not, a sign-up in the same browser would prove the address and not that both are one person.
    private func wait(_ claim: Claim, _ proven: ProvenIdentity, on way: Way) async throws -> Outcome {
        if claim.emailIsVerified {
            try await database.batch(in: way.scope) { batch in
                batch.proveProviderSignIn(way.signIn.id, proven, at: way.occasion.now)
            }
        }
        return .accountNeeded(nil, claim)
    }

    private func signIn(
        _ holder: IdentityHolder, _ redeemed: ProviderClient.Redeemed, on way: Way
    ) async throws -> Outcome {
        guard !holder.isDeactivated else {
            return try await refuse(Refusal(.userDeactivated), way, user: holder.userID)
        }
        let now = clock.now
        let tokens = try sealed(redeemed, for: holder.identity, on: way)
        let proof = SignInProof(
            userID: holder.userID, authEpoch: holder.authEpoch, amr: Self.amr, authenticatedAt: now)
        let ended = try await database.batch(in: way.scope) { batch in
            batch.touchIdentity(holder.identity, email: redeemed.profile.email, tokensSealed: tokens, at: now)
            return ending.add(
                way.goal, for: proof, way.hosting, to: &batch, from: way.occasion.origin, at: now)
        }
        guard let ended else {
            return try await refuse(Refusal(.invalidAuthorizationRequest), way, user: holder.userID)
        }
        return .ended(ended)
    }

    /// Opens an account for an address that the provider answers for, and signs in: all of it, or nothing.
    ///
    /// Nil where the address or the identity has become somebody's.
    private func signUp(_ proven: ProvenIdentity, _ email: EmailAddress, on way: Way) async throws -> Outcome? {
        let (now, user) = (clock.now, way.occasion.id(UserID.self))
        let issuer = way.provider.issuer
        let proof = SignInProof(userID: user, authEpoch: 1, amr: Self.amr, authenticatedAt: now)
        var event = way.occasion.event(.identityLinked, by: .user)
        event.details = ["identity_provider": way.provider.id.description, "identity": proven.id.description]
        let made: (UserRecord?, SignInEnding.Ended?)
        do {
            made = try await database.batch(in: way.scope) { [event] batch in
                batch.insertUser(user, email: email, provenBy: issuer, proven.subject, at: now)
                batch.owe(.userCreated, about: user, at: now)
                batch.insertIdentity(proven, issuer: issuer, ofNew: user, at: now)
                batch.record(event, ifIdentityExists: proven.id)
                let ended = ending.add(
                    way.goal, for: proof, way.hosting, to: &batch, from: way.occasion.origin, at: now)
                return batch.user(user).and(ended)
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            // Another way of the same person was first, and has given them the identity.
            return try await refuse(Refusal(.justOpened), way)
        }
        guard made.0 != nil else { return nil }
        guard let ended = made.1 else {
            return try await refuse(Refusal(.invalidAuthorizationRequest), way, user: user)
        }
        return .ended(ended)
    }

    /// How somebody was proved: by another provider, for which RFC 8176 has no word.
    private static var amr: [String] { ["fed"] }

    func sealed(
        _ redeemed: ProviderClient.Redeemed, for identity: UserIdentityID, on way: Way
    ) throws -> [UInt8]? {
        guard way.provider.keepsTokens else { return nil }
        return try ProviderTokensSeal.seal(redeemed.tokens, of: identity, in: way.scope.appID, keys: keys)
    }

    func refuse(_ refusal: Refusal, _ way: Way, user: UserID? = nil) async throws -> Outcome {
        .refused(
            try await refuse(refusal, way.provider, user: user, in: way.scope, way.occasion), way.signIn.purpose)
    }
}
