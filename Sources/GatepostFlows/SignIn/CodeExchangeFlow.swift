package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Exchanges an authorization code for tokens (RFC 6749, section 4.1.3, with PKCE), and starts the session.
package struct CodeExchangeFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let issuer: TokenIssuer

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, issuer: TokenIssuer) {
        (self.database, self.clock, self.random, self.issuer) = (database, clock, random, issuer)
    }

    /// Exchanges a code; nil stands for `invalid_grant`.
    ///
    /// An ID token is signed with the algorithm of the client.
    ///
    /// One batch: the code is used up, and session, family and token follow from it in SQL, or none does. A
    /// second use ends what the first one gave (RFC 6749, section 4.1.2): either the code or its answer was
    /// stolen, and nobody can tell which.
    package func exchange(
        _ presented: CodePresentation, idTokensBy algorithm: SigningAlgorithm, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> TokenAnswer? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let now = occasion.now
        let (session, family): (SessionID, TokenFamilyID) = (occasion.id(), occasion.id())
        let refreshToken = OneTimeToken.make(.refresh, random: random)
        // Fetched first: a code must not be used up for an answer that cannot be signed.
        try await issuer.prepare(idTokensBy: algorithm, in: scope)
        let (code, live) = try await database.batch(in: scope) { batch in
            batch.redeemCode(presented, for: session, at: now)
            batch.insertSession(session, fromCode: presented.code.hash, origin: origin, at: now)
            batch.insertTokenFamily(family, of: session, fromCode: presented.code.hash, at: now)
            batch.insertRefreshToken(refreshToken, into: family, at: now)
            batch.record(
                occasion.event(.sessionStarted, by: .user, clientID: presented.clientID, sessionID: session),
                ifSessionExists: session)
            let code = batch.presentedCode(presented)
            return code.and(batch.session(session, fromCode: presented.code.hash))
        }
        if let live {
            return try await issuer.answer(
                for: live, client: presented.clientID, idTokensBy: algorithm, refreshToken: refreshToken, in: scope,
                at: now)
        }
        try await refuse(code, presented, in: scope, occasion)
        return nil
    }

    private func refuse(
        _ code: PresentedCode?, _ presented: CodePresentation, in scope: AppScope, _ occasion: Occasion
    ) async throws {
        try await database.batch(in: scope) { batch in
            if let session = code?.sessionID {
                batch.endSession(session, reason: .codeReused, at: occasion.now)
                batch.endTokenFamilies(of: session, reason: .codeReused, at: occasion.now)
            }
            batch.record(
                occasion.event(
                    .tokenRefused, by: .anyone, userID: code?.userID, clientID: code?.clientID,
                    sessionID: code?.sessionID, reason: code?.sessionID == nil ? "invalid_grant" : "code_reused"))
        }
    }
}
