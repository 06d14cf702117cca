package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// What somebody who is signed in to the hosted pages sees and does there: their sessions, and the end of them.
package struct AccountFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// An account as its own page shows it.
    package struct Account: Sendable {
        /// The session of the browser that asks.
        package let session: HostedSession
        /// All that live, the last used one first.
        package let sessions: [SessionRecord]
        /// What the clients are called.
        package let clients: [ClientID: String]
        /// Whether there is a password to change; who has none came by mail or by a provider.
        package let hasPassword: Bool
        /// Whether there is a second factor.
        package let hasFactor: Bool
        /// Who the user is with providers.
        package let identities: [UserIdentityRecord]
        /// The clients that the user has let use the account.
        package let consents: [ConsentRecord]
        /// The enabled providers with which the user is nobody yet.
        package let linkable: [IdentityProviderRecord]
    }

    /// Who is signed in in a browser; nil if nobody is.
    package func session(by tokens: BrowserTokens, in scope: AppScope) async throws -> HostedSession? {
        guard let token = tokens.session else { return nil }
        return try await database.batch(in: scope) { $0.hostedSession(token, at: clock.now) }
    }

    /// The account of whoever is signed in in a browser; nil if nobody is.
    package func account(by tokens: BrowserTokens, in scope: AppScope) async throws -> Account? {
        guard let session = try await session(by: tokens, in: scope) else { return nil }
        return try await database.batch(in: scope) { batch in
            batch.touchHostedSession(session.id, at: clock.now)
            return batch.liveSessions(of: session.user.id, at: clock.now).and(batch.clients())
                .and(batch.passwordCredential(ofUser: session.user.id))
                .and(batch.factor(of: session.user.id))
                .and(batch.identities(of: session.user.id).and(batch.enabledIdentityProviders()))
                .and(batch.consents(of: session.user.id))
                .map { read, consents in
                    let (((((sessions, clients), credential), factor), (identities, providers))) = read
                    let known = Set(identities.map(\.issuer))
                    return Account(
                        session: session, sessions: sessions,
                        clients: Dictionary(clients.map { ($0.id, $0.name) }) { first, _ in first },
                        hasPassword: credential?.passwordHash != nil, hasFactor: factor != nil, identities: identities,
                        consents: consents, linkable: providers.filter { !known.contains($0.issuer) })
                }
        }
    }

    /// Whether somebody has a password to type.
    package func hasPassword(_ user: UserID, in scope: AppScope) async throws -> Bool {
        try await database.batch(in: scope) { $0.passwordCredential(ofUser: user) }?.passwordHash != nil
    }

    /// Ends one of the user's sessions, and the browser's session that it came from unless that one asks; nothing
    /// happens to one that is not theirs.
    ///
    /// - Parameters:
    ///   - id: Which.
    ///   - tokens: What the browser that asks holds.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Whether somebody is signed in there.
    /// - Throws: `PostgresError`.
    package func end(
        _ id: SessionID, by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Bool {
        guard let session = try await session(by: tokens, in: scope) else { return false }
        let (user, now) = (session.user.id, clock.now)
        let record = try await database.batch(in: scope) { $0.liveSessionRecord(id, of: user, at: now) }
        let browser = record?.hostedID.flatMap { $0 == session.id ? nil : $0 }
        try await end([id, browser].compactMap(\.self), of: user, in: scope, from: origin)
        return true
    }

    /// Ends all of the user's sessions but the one that asks, with every code that has not been exchanged yet, and says
    /// whether somebody is signed in there.
    package func endOthers(by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin) async throws
        -> Bool
    {
        guard let session = try await session(by: tokens, in: scope) else { return false }
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        try await database.batch(in: scope) { batch in
            batch.endOtherSessions(than: session.id, of: session.user.id, client: nil, occasion)
        }
        return true
    }

    /// Signs the browser out of the hosted pages.
    package func signOut(by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin) async throws {
        guard let session = try await session(by: tokens, in: scope) else { return }
        try await end([session.id], of: session.user.id, in: scope, from: origin)
    }

    /// Ends those of the user's sessions that still live.
    func end(
        _ ids: [SessionID], of user: UserID, in scope: AppScope, from origin: RequestOrigin
    ) async throws {
        guard !ids.isEmpty else { return }
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        try await database.batch(in: scope) { batch in
            for id in ids.sorted() {
                batch.endSession(id, of: user, reason: .signedOut, at: occasion.now)
                batch.endTokenFamilies(ofEnded: id, at: occasion.now)
                batch.record(occasion.event(.sessionEnded, by: .user), ifEnded: id)
            }
        }
    }
}
