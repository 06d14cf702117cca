package import GatepostModel
package import GatepostStore
package import Passwords

/// Signs a user in by password; ends in a one-time code that the app exchanges at the token endpoint.
///
/// Two steps around the hash: read the credential and spend the attempt, committed on its own; hash outside any
/// transaction; then one transaction guarded by the epoch and the credential's version that were read.
package struct PasswordSignInFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let hasher: PasswordHasher
    let limits: Limits
    let ending: SignInEnding

    /// Wires the flow.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, hasher: PasswordHasher,
        ending: SignInEnding
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.hasher, self.ending) = (hasher, ending)
        limits = Limits(keys: keys)
    }

    /// Which client asks, and where its code will be sent.
    package struct Client: Sendable {
        package let id: ClientID
        package let redirectURI: String
        package let challenge: CodeChallenge
        /// The registered URI that the redirect URI is, but for the port of a loopback address, once that is known.
        var registeredURI: String?

        /// Gathers what the request says of its client.
        package init(id: ClientID, redirectURI: String, challenge: CodeChallenge) {
            (self.id, self.redirectURI, self.challenge) = (id, redirectURI, challenge)
        }

        /// The same, with the URI that was found.
        func registered(as uri: String) -> Client {
            var client = self
            client.registeredURI = uri
            return client
        }
    }

    /// What a sign-in came to.
    package enum Outcome: Sendable {
        case passed(OneTimeToken)
        /// The password was right, and a second factor is asked for.
        case factorAsked(SignInEnding.Challenge)
        case refused(Refusal)
    }

    /// Tries an address and a password.
    ///
    /// An unknown address costs a hash too, against a hash of nothing. So does one that waits to be verified: it has
    /// no password yet. To say that it waits would tell whoever signs up with somebody's address, and then tries to
    /// sign in, whether that address had an account before.
    package func signIn(
        _ email: EmailAddress, password: Secret, to client: Client, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let budgets = limits.proof(of: email, from: origin, in: scope, at: occasion.now)
        let ((registered, credential), verdict) = try await database.batch(in: scope, durability: .asynchronous) {
            batch in
            batch.client(client.id).and(batch.passwordCredential(of: email))
                .and(batch.spend(budgets, at: occasion.now))
        }
        if let refusal = Refusal(verdict) { return try await refuse(refusal, client, in: scope, occasion) }
        guard let registered else { return try await refuse(Refusal(.unknownClient), nil, in: scope, occasion) }
        guard let registration = registered.registration(of: client.redirectURI) else {
            return try await refuse(Refusal(.invalidRedirectURI), client, in: scope, occasion)
        }
        guard registered.party == .first else {
            return try await refuse(.hostedPagesOnly, client, in: scope, occasion)
        }
        let (refusal, stronger) = try await prove(password, credential)
        guard let credential, refusal == nil else {
            return try await refuse(
                (refusal ?? Refusal(.invalidCredentials)).counted(verdict), client, in: scope, occasion,
                user: credential?.userID, compared: budgets)
        }
        return try await issueCode(
            to: client.registered(as: registration), credential, replacingHashBy: stronger,
            refunding: limits.earned(budgets, by: email), in: scope,
            occasion)
    }

    /// Compares a password with what was read of its address, which may be nothing: that costs a hash, too.
    ///
    /// - Parameters:
    ///   - password: What was typed.
    ///   - credential: What the address has; nil for an unknown one.
    /// - Returns: Why not, or nothing; and a hash to take the place of one that is weaker than today's, if there is
    ///   room to compute it: whoever has the right password gets in without.
    /// - Throws: `HashFailed`.
    func prove(
        _ password: Secret, _ credential: PasswordCredential?
    ) async throws -> (refusal: Refusal?, stronger: String?) {
        let verification = try await hasher.verifyUnlessBusy(password, against: credential?.passwordHash)
        guard let verification else { return (.busy, nil) }
        guard let credential, case .matches(let needsRehash) = verification else {
            return (Refusal(.invalidCredentials), nil)
        }
        guard !credential.isDeactivated else { return (Refusal(.userDeactivated), nil) }
        return (nil, needsRehash ? try await hasher.hashUnlessBusy(password) : nil)
    }

    private func issueCode(
        to client: Client, _ credential: PasswordCredential, replacingHashBy stronger: String?,
        refunding budgets: RateBudgets, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        // The hash took a while: the code's minute begins now.
        let now = clock.now
        let code = NewAuthorizationCode(
            code: .make(.authorizationCode, random: random), clientID: client.id, redirectURI: client.redirectURI,
            challenge: client.challenge, userID: credential.userID, authEpoch: credential.authEpoch,
            credentialVersion: credential.version, amr: ["pwd"], at: now)
        let isIssued = try await database.batch(in: scope) { batch in
            let isIssued = batch.insertAuthorizationCode(
                code,
                recording: occasion.event(.signInPassed, by: .user, userID: credential.userID, clientID: client.id))
            if let stronger {
                batch.replaceHash(stronger, of: credential.userID, version: credential.version)
            }
            // Last, because the rows are locked until the sign-in is on disk.
            batch.refund(budgets, at: occasion.now)
            return isIssued
        }
        if isIssued { return .passed(code.code) }
        switch try await goOn(client, credential, in: scope, occasion, at: now) {
        case .some(let outcome): return outcome
        case nil:
            return try await refuse(
                Refusal(.invalidCredentials), client, in: scope, occasion, user: credential.userID)
        }
    }

    private func refuse(
        _ refusal: Refusal, _ client: Client?, in scope: AppScope, _ occasion: Occasion, user: UserID? = nil,
        compared budgets: RateBudgets? = nil
    ) async throws -> Outcome {
        try await recordRefusal(refusal, client?.id, in: scope, occasion, user: user, compared: budgets)
        return .refused(refusal)
    }

    /// Writes down that a sign-in was refused.
    ///
    /// - Parameters:
    ///   - refusal: Why.
    ///   - client: For whom; nil for the account's own pages, or an unknown one.
    ///   - scope: The app.
    ///   - occasion: The moment.
    ///   - user: Whose address it was, as far as it is known.
    ///   - budgets: What the try has spent; given back if there was no room to compare the password.
    /// - Throws: `PostgresError`.
    func recordRefusal(
        _ refusal: Refusal, _ client: ClientID?, in scope: AppScope, _ occasion: Occasion, user: UserID? = nil,
        compared budgets: RateBudgets? = nil
    ) async throws {
        try await database.batch(in: scope) { batch in
            batch.record(
                occasion.event(
                    .signInRefused, by: .anyone, userID: user, clientID: client, reason: refusal.code.rawValue))
            if let budgets, refusal.code == .busy { batch.giveBack(limits.unused(budgets), at: occasion.now) }
        }
    }
}
