package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// The last step of every sign-in that takes more than one: the client's request is answered with a one-time code, and
/// the browser stays signed in to the hosted pages.
///
/// Its statements are added to the batch, or to the transaction, of whatever proved who the person is, so a proof that
/// was used up and the answer that it gives stand or fall together.
package struct SignInEnding: Sendable {
    let database: Database
    let random: any RandomSource
    /// Where Gatepost is reached; the issuer is made from it.
    let baseURL: String

    /// Wires the ending.
    package init(database: Database, random: any RandomSource, baseURL: String) {
        (self.database, self.random, self.baseURL) = (database, random, baseURL)
    }

    /// What a sign-in is for.
    package enum Goal: Sendable {
        /// A client waits for the answer, which only the holder of this token gets.
        case request(AuthorizationRequestID, heldBy: OneTimeToken)
        /// The pages of the account itself, in the browser that holds this token, if it has one yet.
        case account(browser: OneTimeToken?)

        /// The same with hashes of what is held, as a sign-in that waits for its second factor keeps it.
        var kept: NewFactorChallenge.Goal {
            switch self {
            case .request(let request, let holder): .request(request, holderHash: holder.hash)
            case .account(let browser): .account(browserHash: browser?.hash)
            }
        }
    }

    /// What becomes of the browser's session with the hosted pages.
    package enum Hosting: Sendable {
        /// It has none: the caller speaks JSON.
        case none
        /// A new one begins, as at every sign-in (OWASP ASVS 7.2.4), in place of the one that it may have had.
        case new(replacing: SessionID?)
        /// The one that it has answered for the user, and goes on.
        case kept(SessionID)
    }

    /// The answer to a client.
    package struct Answer: Sendable {
        package let code: OneTimeToken
        package let redirectURI: String
        package let state: String?
        /// So that a client of several issuers knows which one answered (RFC 9207).
        package let issuer: String

        /// Where the browser is sent.
        package var location: String {
            RedirectLocation.text(
                redirectURI, [("code", code.secret.revealed), ("state", state), ("iss", issuer)])
        }
    }

    /// A sign-in that goes on with its second factor, and what whoever goes on with it holds.
    package struct Challenge: Sendable {
        package let id: FactorChallengeID
        package let token: OneTimeToken
        package let expiresAt: Instant
        /// Whether there is an authenticator to ask for; else one is set up first.
        package let hasFactor: Bool
    }

    /// What a sign-in ended in: where it waits for a second factor, there is neither an answer nor a session.
    package struct Ended: Sendable {
        /// Nil where no client waited.
        package let answer: Answer?
        /// For the browser's cookie; nil where no session began.
        package let session: OneTimeToken?
        /// The client's request that waits for the user's consent; nil where none does.
        package var consent: AuthorizationRequestID?
        /// Where the client is told that somebody else has signed in than it expects; nil where that is not so.
        package var declined: String?
        /// Nil where the sign-in is over.
        package var challenge: Challenge?
        /// What the device keeps that has signed in; nil where the flow gives none.
        package var device: Secret?
    }

    /// Ends a sign-in in a batch of its own; nil if the request or the user no longer allows it.
    package func end(
        _ goal: Goal, for proof: SignInProof, _ hosting: Hosting, in scope: AppScope, from origin: RequestOrigin,
        at now: Instant
    ) async throws -> Ended? {
        try await database.batch(in: scope) { add(goal, for: proof, hosting, to: &$0, from: origin, at: now) }
    }

    /// Adds the statements that end a sign-in, and says what they came to.
    ///
    /// Of any number of racing callers one answers the request. A session begins only with the answer.
    ///
    /// Every way to sign in ends here, so it is here that a second factor is asked for: where one is, and the proof is
    /// one of a first factor alone, the statements give neither an answer nor a session, and what the sign-in is for
    /// waits until `FactorChallengeFlow` comes back with both.
    ///
    /// - Parameters:
    ///   - goal: What the sign-in is for.
    ///   - proof: Who it is, and what must still be so.
    ///   - hosting: What becomes of the browser's session with the pages.
    ///   - isAlone: Whether nobody is there to be asked for a second factor: then nothing waits for one.
    ///   - batch: Where the statements go.
    ///   - origin: Where the request came from.
    ///   - now: The moment.
    /// - Returns: What came of it; nil if nothing did.
    package func add(
        _ goal: Goal, for proof: SignInProof, _ hosting: Hosting, isAlone: Bool = false, to batch: inout AppBatch,
        from origin: RequestOrigin, at now: Instant
    ) -> BatchReading<Ended?> {
        let occasion = Occasion(now: now, origin: origin, random: random)
        let challenge =
            isAlone ? batch.nothing() : challenge(goal.kept, for: proof, hosting, in: &batch, occasion)
        let ended = add(goal.kept, for: proof, hosting, to: &batch, occasion)
        return ended.and(challenge).map { ended, challenge in
            ended ?? challenge.map { Ended(answer: nil, session: nil, challenge: $0) }
        }
    }

    /// Lets the sign-in wait for its second factor, if one is asked for.
    private func challenge(
        _ goal: NewFactorChallenge.Goal, for proof: SignInProof, _ hosting: Hosting, in batch: inout AppBatch,
        _ occasion: Occasion
    ) -> BatchReading<Challenge?> {
        guard !proof.hasFactor else { return batch.nothing() }
        let (isHosted, replaces): (Bool, SessionID?) =
            switch hosting {
            case .none: (false, nil)
            case .new(let old): (true, old)
            case .kept(let session): (true, session)
            }
        let new = NewFactorChallenge(
            id: occasion.id(), token: .make(.factorChallenge, random: random), goal: goal, isHosted: isHosted,
            replaces: replaces, at: occasion.now)
        let hasFactor = batch.insertFactorChallenge(new, for: proof)
        batch.record(occasion.event(.factorAsked, by: .user), ifChallenged: new.id)
        return hasFactor.map { hasFactor in
            hasFactor.map { Challenge(id: new.id, token: new.token, expiresAt: new.expiresAt, hasFactor: $0) }
        }
    }

    /// The statements that end a sign-in if its proof is enough.
    func add(
        _ goal: NewFactorChallenge.Goal, for proof: SignInProof, _ hosting: Hosting, to batch: inout AppBatch,
        _ occasion: Occasion
    ) -> BatchReading<Ended?> {
        let now = occasion.now
        let hosted: SessionID? =
            switch hosting {
            case .none: nil
            case .new: occasion.id()
            case .kept(let session): session
            }
        switch goal {
        case .request(let request, let holder):
            let code = OneTimeToken.make(.authorizationCode, random: random)
            batch.answerAuthorizationRequest(request, heldBy: holder, with: code, for: proof, at: now)
            batch.insertAuthorizationCode(code, answering: request, for: proof, on: hosted, at: now)
            // What a provider has proved on the way here, and waited for its owner.
            linkProvenIdentity(of: request, heldBy: holder, ifIssued: code, in: &batch, occasion)
            let turn: BatchReading<RequestTurn?> =
                hosted.map { hosted in
                    batch.turnAuthorizationRequest(request, heldBy: holder, for: proof, in: hosted, at: now)
                } ?? batch.nothing()
            let session = host(hosting, as: hosted, for: proof, answering: (request, code), in: &batch, occasion)
            // One of the two at most, so they may be one event.
            let passed = occasion.event(.signInPassed, by: .user, userID: proof.userID)
            batch.record(passed, ifAnsweredWith: code.hash)
            if let session { batch.record(passed, ifConsentIsAsked: request, in: session.id) }
            let issuer = TokenIssuer.issuer(of: batch.scope.appID, baseURL: baseURL)
            return batch.answeredRequest(request, with: code).and(turn).map { answered, turn in
                guard let answered else { return turn.map { Self.ended($0, of: request, session, issuer) } }
                return Ended(
                    answer: Answer(
                        code: code, redirectURI: answered.redirectURI, state: answered.state, issuer: issuer),
                    session: session?.token)
            }
        case .account(let browser):
            guard let session = host(hosting, as: hosted, for: proof, answering: nil, in: &batch, occasion) else {
                return batch.nothing()
            }
            if let browser {
                // As for a client: what a provider has proved on the way here.
                batch.linkProvenIdentity(ofBrowser: browser, ifBegan: session.id, at: now)
                let linked = occasion.event(.identityLinked, by: .user)
                batch.record(linked, ifIdentityLinkedIn: session.id, ofBrowser: browser)
                batch.enqueue(.identityLinked, occasion.id(), ifRecorded: linked)
            }
            batch.record(occasion.event(.signInPassed, by: .user), ifSessionExists: session.id)
            return session.began.map { $0 ? Ended(answer: nil, session: session.token) : nil }
        }
    }

    private func linkProvenIdentity(
        of request: AuthorizationRequestID, heldBy holder: [UInt8], ifIssued code: OneTimeToken,
        in batch: inout AppBatch, _ occasion: Occasion
    ) {
        batch.linkProvenIdentity(of: request, heldBy: holder, ifIssued: code, at: occasion.now)
        let linked = occasion.event(.identityLinked, by: .user)
        batch.record(linked, ifIdentityLinkedBy: request)
        batch.enqueue(.identityLinked, occasion.id(), ifRecorded: linked)
    }

    /// What a sign-in ended in whose request is not answered: the user is asked, or the client told who it is not.
    private static func ended(
        _ turn: RequestTurn, of request: AuthorizationRequestID, _ session: Hosted?, _ issuer: String
    ) -> Ended {
        guard turn.isOther else { return Ended(answer: nil, session: session?.token, consent: request) }
        let error = AuthorizationError(.loginRequired, "Somebody else has signed in than id_token_hint names.")
        return Ended(answer: nil, session: nil, declined: error.location(turn.redirect, issuer: issuer))
    }

    /// A session of the hosted pages that may have begun.
    private struct Hosted {
        let id: SessionID
        let token: OneTimeToken
        let began: BatchReading<Bool>
    }

    private func host(
        _ hosting: Hosting, as id: SessionID?, for proof: SignInProof,
        answering answer: (request: AuthorizationRequestID, code: OneTimeToken)?, in batch: inout AppBatch,
        _ occasion: Occasion
    ) -> Hosted? {
        guard let id else { return nil }
        guard case .new(let old) = hosting else {
            batch.touchHostedSession(id, at: occasion.now)
            return nil
        }
        let token = OneTimeToken.make(.hostedSession, random: random)
        let began = batch.insertHostedSession(
            id, token: token, for: proof, ifIssued: answer?.code, for: answer?.request, origin: occasion.origin,
            at: occasion.now)
        batch.record(occasion.event(.sessionStarted, by: .user, sessionID: id), ifSessionExists: id)
        if let old {
            // What came from the old one first, in the order of a sign-out, which ends it and then the browser's.
            batch.moveSessions(of: old, to: id)
            batch.endSession(old, replacedBy: id, at: occasion.now)
            batch.record(occasion.event(.sessionEnded, by: .user), ifEnded: old)
        }
        return Hosted(id: id, token: token, began: began)
    }
}

extension AppBatch {
    /// Ends the browser's session that a client's session came from, which ends for the same reason.
    ///
    /// Else whoever signs out, and gives the machine away, is signed in again by the next client that asks.
    mutating func endHostedSession(
        _ hosted: SessionID?, of user: UserID, reason: SessionEndReason, by actor: AuditEvent.Actor,
        _ occasion: Occasion
    ) {
        guard let hosted else { return }
        endSession(hosted, of: user, reason: reason, at: occasion.now)
        record(
            occasion.event(.sessionEnded, by: actor, userID: user, sessionID: hosted, reason: reason.rawValue),
            ifEndedNow: hosted)
    }
}
