package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Asks a user which client of others may use their account and what it may be told; remembers it, and takes it back.
///
/// The question is put after the sign-in, in the browser's session that has come of it, and a yes answers the client in
/// the same transaction.
package struct ConsentFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let ending: SignInEnding

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, ending: SignInEnding) {
        (self.database, self.clock, self.random, self.ending) = (database, clock, random, ending)
    }

    /// What a user is asked.
    package struct Question: Sendable {
        package let request: AuthorizationRequestRecord
        /// What the client is called.
        package let client: String
        package let session: HostedSession
    }

    /// What looking for a question came to.
    package enum Asked: Sendable {
        case question(Question)
        /// The request waits in this browser, and nobody who was to be asked is signed in there any more.
        case signInNeeded
        /// The request is not this browser's, or no longer waits.
        case gone
    }

    /// Looks at what is to be asked; changes nothing.
    package func question(
        _ request: AuthorizationRequestID, by tokens: BrowserTokens, in scope: AppScope
    ) async throws -> Asked {
        let visit = try await database.batch(in: scope) { $0.visit(request, tokens, at: clock.now) }
        guard let waiting = visit.request else { return .gone }
        guard let session = visit.session, waiting.consentingSessionID == session.id else { return .signInNeeded }
        guard let client = try await database.batch(in: scope, { $0.client(waiting.clientID) }) else { return .gone }
        return .question(Question(request: waiting, client: client.name, session: session))
    }

    /// What an answer came to.
    package enum Outcome: Sendable {
        /// The browser goes to the client, with a code or with a no.
        case answered(location: String)
        /// Somebody else is asked by now than when the page was shown that was answered.
        case askedAnew
        case signInNeeded
        /// The request is no longer there to be answered.
        case gone
    }

    /// Lets the client have what it asks for, and answers it.
    ///
    /// - Parameters:
    ///   - request: What it asks for.
    ///   - session: The session that the question was shown to.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What came of it.
    /// - Throws: `PostgresError`.
    package func allow(
        _ request: AuthorizationRequestID, asked session: SessionID?, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Outcome {
        try await answer(request, asked: session, by: tokens, in: scope) { question, holder in
            let occasion = Occasion(now: clock.now, origin: origin, random: random)
            let (session, proof) = (question.session, SignInProof(of: question.session))
            var event = occasion.event(.consentGranted, by: .user, userID: proof.userID, sessionID: session.id)
            event.details["scope"] = question.request.scope.description
            let ended = try await database.batch(in: scope) { [event] batch in
                batch.grantConsent(to: request, heldBy: holder, in: session.id, for: proof, at: occasion.now)
                batch.record(event, ifConsentedTo: request)
                return ending.add(
                    .request(request, heldBy: holder), for: proof, .kept(session.id), to: &batch, from: origin,
                    at: occasion.now)
            }
            return ended.flatMap { $0.answer?.location ?? $0.declined }
        }
    }

    /// Tells the client no (RFC 6749, section 4.1.2.1); nothing is remembered.
    ///
    /// - Parameters:
    ///   - request: What it asks for.
    ///   - session: The session that the question was shown to.
    ///   - tokens: What the browser's cookies hold.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: What came of it.
    /// - Throws: `PostgresError`.
    package func decline(
        _ request: AuthorizationRequestID, asked session: SessionID?, by tokens: BrowserTokens, in scope: AppScope,
        from origin: RequestOrigin
    ) async throws -> Outcome {
        try await answer(request, asked: session, by: tokens, in: scope) { question, holder in
            let occasion = Occasion(now: clock.now, origin: origin, random: random)
            let error = AuthorizationError(.accessDenied, "The user does not want this.")
            let declined = try await database.batch(in: scope) { batch in
                batch.record(
                    occasion.event(
                        .signInRefused, by: .user, userID: question.session.user.id,
                        clientID: question.request.clientID, sessionID: question.session.id,
                        reason: error.code.rawValue),
                    ifConsentIsAsked: request, in: question.session.id)
                return batch.declineAuthorizationRequest(
                    request, heldBy: holder, in: question.session.id, at: occasion.now)
            }
            let issuer = TokenIssuer.issuer(of: scope.appID, baseURL: ending.baseURL)
            return declined.map { error.location($0, issuer: issuer) }
        }
    }

    /// Answers for whoever was asked.
    ///
    /// Two people may share a browser, and one of them sign in while the other's page still stands there: what that
    /// page says is no answer of whoever is signed in now.
    private func answer(
        _ request: AuthorizationRequestID, asked session: SessionID?, by tokens: BrowserTokens, in scope: AppScope,
        _ location: (Question, OneTimeToken) async throws -> String?
    ) async throws -> Outcome {
        switch try await question(request, by: tokens, in: scope) {
        case .gone: return .gone
        case .signInNeeded: return .signInNeeded
        case .question(let question) where question.session.id != session: return .askedAnew
        case .question(let question):
            guard let holder = tokens.browser, let location = try await location(question, holder) else { return .gone }
            return .answered(location: location)
        }
    }

    /// One page of the clients that a user has let use their account, the latest first.
    package func consents(
        of user: UserID, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [ConsentRecord] {
        try await database.batch(in: scope) { $0.consents(of: user, after: cursor, limit: limit) }
    }

    /// Takes a consent back: what the client has got by it ends at once, its sessions and its codes.
    ///
    /// - Parameters:
    ///   - client: Whose.
    ///   - user: Who has given it.
    ///   - session: In which session they ask.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: Why not; nil where it was taken back.
    /// - Throws: `PostgresError`.
    package func revoke(
        _ client: ClientID, of user: UserID, session: SessionID, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Refusal? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            guard try await transaction.batch({ $0.deleteConsent(to: client, of: user) }) else {
                let refusal = Refusal(.notFound)
                let event = occasion.event(
                    .requestRefused, by: .user, userID: user, sessionID: session, reason: refusal.code.rawValue)
                try await transaction.batch { $0.record(event) }
                return refusal
            }
            try await transaction.batch { batch in
                batch.expireAuthorizationCodes(of: user, for: client, at: occasion.now)
                batch.endSessions(of: user, with: client, reason: .consentRevoked, at: occasion.now)
                batch.endTokenFamilies(of: user, with: client, reason: .consentRevoked, at: occasion.now)
                batch.record(
                    occasion.event(
                        .consentRevoked, by: .user, userID: user, clientID: client, sessionID: session,
                        reason: SessionEndReason.consentRevoked.rawValue))
            }
            return nil
        }
    }
}
