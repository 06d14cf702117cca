package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Exchanges a refresh token for its successor and a new access token (RFC 6749, section 6).
///
/// Tokens rotate. A token that comes a second time was stolen or its answer was lost. Within the grace window,
/// by the same client and while the successor is unused, the same successor is given again; anything else ends
/// the family and its session.
package struct RefreshFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let issuer: TokenIssuer

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, issuer: TokenIssuer) {
        (self.database, self.clock, self.random, self.issuer) = (database, clock, random, issuer)
    }

    /// Whether a token's grant covers what a client asks for; true for a token that is none, which is refused later.
    ///
    /// Asked before the exchange, so that a token is not used up for an answer that is not given.
    package func covers(_ scopeText: String, _ token: OneTimeToken, in scope: AppScope) async throws -> Bool {
        let presented = try await database.batch(in: scope) { $0.presentedRefreshToken(token, at: clock.now) }
        return presented?.scope.covers(scopeText) ?? true
    }

    /// Exchanges a token; nil stands for `invalid_grant`.
    ///
    /// Less than what was granted may be asked for, never more (RFC 6749, section 6); the grant itself stays. An ID
    /// token is signed with the algorithm of the client.
    ///
    /// The update waits for a racing one to commit and then finds the token used; the read after it, in the same
    /// batch, sees what the winner wrote.
    package func refresh(
        _ token: OneTimeToken, by client: ClientID, idTokensBy algorithm: SigningAlgorithm,
        narrowedTo wanted: GrantScope? = nil, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> TokenAnswer? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let successor = OneTimeToken.make(.refresh, random: random)
        let exchange = RefreshExchange(
            presented: token, successor: successor, successorSealed: try SuccessorSeal.seal(successor, under: token),
            clientID: client, at: occasion.now)
        // Fetched first: a token must not be used up for an answer that cannot be signed.
        try await issuer.prepare(idTokensBy: algorithm, in: scope)
        let presented = try await database.batch(in: scope) { batch in
            batch.exchangeRefreshToken(exchange)
            batch.forgetSealed(exchange)
            batch.touchSession(ofRefreshToken: successor.hash, at: occasion.now)
            batch.record(
                occasion.event(.tokenRefreshed, by: .user, clientID: client), ifRefreshTokenExists: successor.hash)
            return batch.presentedRefreshToken(token, at: occasion.now)
        }
        guard let presented else {
            try await refuse(nil, client, reason: "invalid_grant", in: scope, occasion)
            return nil
        }
        if presented.successorHash == successor.hash {
            return try await answer(presented, wanted, algorithm, refreshToken: successor, in: scope, occasion)
        }
        guard presented.clientID == client else {
            try await refuse(presented, client, reason: "client_mismatch", in: scope, occasion)
            return nil
        }
        if let repeated = try Self.repeatable(presented, token, at: occasion.now) {
            return try await answer(presented, wanted, algorithm, refreshToken: repeated, in: scope, occasion)
        }
        try await refuse(
            presented, client, reason: presented.usedAt == nil ? "invalid_grant" : "refresh_reused", in: scope, occasion
        )
        return nil
    }

    /// The successor that may be given again; nil where the repeat is no lost answer.
    private static func repeatable(
        _ presented: PresentedRefreshToken, _ token: OneTimeToken, at now: Instant
    ) throws -> OneTimeToken? {
        guard presented.isAlive, let usedAt = presented.usedAt, now <= usedAt + Lifetimes.refreshGrace,
            !presented.isSuccessorUsed, let sealed = presented.successorSealed
        else { return nil }
        return try SuccessorSeal.open(sealed, under: token)
    }

    private func answer(
        _ presented: PresentedRefreshToken, _ wanted: GrantScope?, _ algorithm: SigningAlgorithm,
        refreshToken: OneTimeToken, in scope: AppScope, _ occasion: Occasion
    ) async throws -> TokenAnswer {
        try await issuer.answer(
            for: SessionProof(
                id: presented.sessionID, userID: presented.userID, amr: presented.amr,
                authenticatedAt: presented.authenticatedAt, told: presented.told,
                scope: wanted.map { presented.scope.intersection($0) } ?? presented.scope,
                isThirdParty: presented.isThirdParty, sector: presented.sector),
            client: presented.clientID, idTokensBy: algorithm, refreshToken: refreshToken, in: scope,
            at: occasion.now)
    }

    private func refuse(
        _ presented: PresentedRefreshToken?, _ client: ClientID, reason: String, in scope: AppScope,
        _ occasion: Occasion
    ) async throws {
        try await database.batch(in: scope) { batch in
            if let presented, reason == "refresh_reused" {
                batch.endSession(presented.sessionID, reason: .refreshReused, at: occasion.now)
                batch.endTokenFamilies(of: presented.sessionID, reason: .refreshReused, at: occasion.now)
            }
            batch.record(
                occasion.event(
                    .tokenRefused, by: .anyone, userID: presented?.userID,
                    clientID: presented?.clientID, sessionID: presented?.sessionID, reason: reason))
        }
    }
}
