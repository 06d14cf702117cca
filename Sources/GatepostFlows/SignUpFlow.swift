package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Passwords

/// Opens an account: an address and a password, confirmed by a mail to the address.
///
/// The account exists from here on but cannot be used; the password stays with the flow until the address is
/// proved. So whoever signs up with somebody else's address has prepared nothing (pre-hijack): only the flow
/// that is confirmed gives the account its password.
package struct SignUpFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let hasher: PasswordHasher
    let rules: PasswordRules
    let signal: OutboxSignal
    var limits: Limits { Limits(keys: keys) }

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, hasher: PasswordHasher,
        rules: PasswordRules, signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.hasher, self.rules, self.signal) = (keys, hasher, rules, signal)
    }

    /// What whoever began a sign-up holds; the token proves later that it was they.
    package struct Started: Sendable {
        package let flow: FlowID
        package let token: OneTimeToken
        package let expiresAt: Instant
    }

    /// What starting came to.
    package enum Outcome: Sendable {
        case started(Started)
        case refused(Refusal)
    }

    /// Starts a sign-up and owes the mail.
    ///
    /// The same statements run for a new, a waiting and a known address, and the hash is computed for each: the
    /// answer and its time do not tell which it was. Only the mail differs.
    ///
    /// - Parameters:
    ///   - email: Whose account it is to be.
    ///   - password: What it is to be opened with.
    ///   - locale: The language of its mails; nil for the app's.
    ///   - holder: What tells whoever begins it from others, where they have it already; nil for a new token.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What whoever began it holds, or why not.
    /// - Throws: `PostgresError`.
    package func start(
        _ email: EmailAddress, password: Secret, locale: String? = nil, heldBy holder: OneTimeToken? = nil,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        var occasion = Occasion(now: clock.now, origin: origin, random: random)
        // The users of the built-in app are the admins; nobody makes themselves one.
        guard scope.appID != .gatepost else { return try await refuse(Refusal(.appNotFound), in: scope, occasion) }
        if let refusal = try await rules.weakness(of: password, for: email, in: scope) {
            return try await refuse(refusal, in: scope, occasion)
        }
        let budgets = limits.mail(to: email, from: origin, in: scope, at: occasion.now)
        let verdict = try await database.batch(in: scope, durability: .asynchronous) { [now = occasion.now] batch in
            batch.spend(budgets, at: now)
        }
        if let refusal = Refusal(verdict) { return try await refuse(refusal, in: scope, occasion) }
        // After the limit: whoever is not known yet makes us ask somebody else no more often than it allows.
        if let refusal = await rules.leak(of: password) { return try await refuse(refusal, in: scope, occasion) }
        guard let passwordHash = try await hasher.hashUnlessBusy(password) else {
            return try await refuse(.busy, givingBack: budgets, in: scope, occasion)
        }
        // The hash may have waited: what is owed is owed from now on, or a worker would look for it too far back.
        occasion = Occasion(now: clock.now, origin: origin, random: random)

        let (id, user): (FlowID, UserID) = (occasion.id(), occasion.id())
        let secrets = FlowSecrets(app: scope.appID, flow: id, kind: .signUp, keys: keys)
        let flow = NewSignUpFlow(
            id: id, email: email, secrets: secrets, token: holder ?? .make(.flow, random: random),
            passwordHash: passwordHash, locale: locale, createdAt: occasion.now,
            expiresAt: occasion.now + Lifetimes.verification)
        try await database.batch(in: scope) { batch in
            batch.insertUser(user, email: email, locale: locale, at: occasion.now)
            // Owed only if this very user came about: an address that has one is not told of again.
            batch.owe(.userCreated, about: user, at: occasion.now)
            batch.supersedeFlows(.signUp, of: email, at: occasion.now)
            batch.insertSignUpFlow(flow)
            batch.enqueueSignUpMail(
                flow: id, id: occasion.id(), address: email,
                recipientHash: keys.recipientHash(email, in: scope.appID), at: occasion.now,
                expiresAt: flow.expiresAt - Lifetimes.mailMargin)
            batch.record(occasion.event(.signUpStarted, by: .anyone, flowID: id))
        }
        signal.raise()
        return .started(Started(flow: id, token: flow.token, expiresAt: flow.expiresAt))
    }

    private func refuse(
        _ refusal: Refusal, givingBack budgets: RateBudgets? = nil, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        try await database.batch(in: scope) { batch in
            batch.record(occasion.event(.signUpRefused, by: .anyone, reason: refusal.code.rawValue))
            if let budgets { batch.giveBack(limits.unused(budgets), at: occasion.now) }
        }
        return .refused(refusal)
    }
}
