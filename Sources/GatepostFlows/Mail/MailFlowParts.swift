package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What a flow is made of whose secrets travel in a mail.
package struct MailFlowParts: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    let signal: OutboxSignal
    var limits: Limits { Limits(keys: keys) }
    var codes: TypedCodes { TypedCodes(database: database, keys: keys) }

    /// Gathers the collaborators; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing,
        signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.signal) = (keys, signal)
    }

    /// Takes from the collaborators what flows of mails share.
    init(of parts: FlowParts) {
        self.init(
            database: parts.database, clock: parts.clock, random: parts.random, keys: parts.keys, signal: parts.signal)
    }

    /// What kind of flow a link belongs to; nil if it was never sent.
    package func kind(of link: OneTimeToken, in scope: AppScope) async throws -> FlowKind? {
        try await database.batch(in: scope) { $0.flowKind(link: link) }
    }

    /// The address that a flow's mail went to, as long as the flow waits for its code; nil without its holder's token.
    package func address(
        of flow: FlowID, heldBy token: OneTimeToken?, _ kind: FlowKind, in scope: AppScope
    ) async throws -> String? {
        guard let token else { return nil }
        let now = clock.now
        let record = try await database.batch(in: scope) { $0.flow(flow, heldBy: token) }
        guard let record, record.kind == kind, record.isPending, record.expiresAt > now else { return nil }
        return record.emailEntered ?? record.email
    }

    func occasion(from origin: RequestOrigin) -> Occasion {
        Occasion(now: clock.now, origin: origin, random: random)
    }

    /// A new flow of this moment, held by whoever has the token.
    func newFlow(
        _ kind: FlowKind, _ email: EmailAddress, heldBy token: OneTimeToken, locale: String?, life: Duration,
        in scope: AppScope, _ occasion: Occasion
    ) -> NewMailFlow {
        NewMailFlow(
            id: occasion.id(), kind: kind, email: email, token: token, locale: locale, in: scope, keys: keys,
            createdAt: occasion.now, life: life)
    }

    /// Counts one more mail to an address, committed on its own; the refusal that it meets, if any.
    func spendMail(to email: EmailAddress, in scope: AppScope, _ occasion: Occasion) async throws -> Refusal? {
        let budgets = limits.mail(to: email, from: occasion.origin, in: scope, at: occasion.now)
        return Refusal(
            try await database.batch(in: scope, durability: .asynchronous) { $0.spend(budgets, at: occasion.now) })
    }

    /// Gives back what a try has spent that was never compared.
    func giveBack(_ budgets: RateBudgets, in scope: AppScope, _ occasion: Occasion) async throws {
        try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.giveBack(limits.unused(budgets), at: occasion.now)
        }
    }

    /// Writes a refusal down.
    func record(
        _ refusal: Refusal, as kind: AuditEvent.Kind, in scope: AppScope, _ occasion: Occasion,
        user: UserID? = nil, flow: FlowID? = nil
    ) async throws {
        try await database.batch(in: scope) { batch in
            batch.record(
                occasion.event(kind, by: .anyone, userID: user, flowID: flow, reason: refusal.code.rawValue))
        }
    }
}

/// What whoever began a flow by the JSON API holds; the token proves later that it was they.
package struct StartedFlow: Sendable {
    package let flow: FlowID
    package let token: OneTimeToken
    package let expiresAt: Instant

    init(_ flow: NewMailFlow) {
        (self.flow, token, expiresAt) = (flow.id, flow.token, flow.expiresAt)
    }
}

/// What beginning a flow came to.
package enum FlowStart: Sendable {
    case started(StartedFlow)
    case refused(Refusal)
}

/// Where a mail's link was opened, as far as it matters for what it may do.
package enum LinkPlace: Sendable {
    /// In the browser that began on a hosted page.
    case here
    /// In a browser that began with an app's own screens, where the code is to be typed.
    case atTheApp
    /// Anywhere else, such as on a phone or in a scanner.
    case elsewhere

    init(of flow: FlowRecord, _ holders: LinkHolders) {
        func holds(_ token: OneTimeToken?) -> Bool {
            token.map { constantTimeEqual($0.hash, flow.tokenHash) } ?? false
        }
        self = holds(holders.browser) ? .here : holds(holders.starter) ? .atTheApp : .elsewhere
    }
}

/// The tokens of a browser that opens a link.
package struct LinkHolders: Sendable {
    /// The browser's own, in which flows begin on hosted pages.
    package let browser: OneTimeToken?
    /// The flow token that the JSON API has left there.
    package let starter: OneTimeToken?

    /// Gathers what the cookies say.
    package init(browser: OneTimeToken?, starter: OneTimeToken?) {
        (self.browser, self.starter) = (browser, starter)
    }
}
