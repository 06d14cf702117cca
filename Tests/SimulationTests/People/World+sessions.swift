import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport

/// Sessions: refreshing, using and ending them.
extension World {
    private func anySession(
        _ fits: (SessionModel) -> Bool
    ) -> (SimulatedApp, Person, SessionModel)? {
        guard let (app, person) = anybody({ $0.sessions.contains(where: fits) }),
            let session = chosen(person.sessions.filter(fits))
        else { return nil }
        return (app, person, session)
    }

    func refreshNewest() async throws -> Bool {
        guard let (app, person, session) = anySession({ $0.token.usedAt == nil }) else { return false }
        try await refresh(session.token, of: session, person, in: app)
        return true
    }

    /// The answer to the latest exchange was lost, and the client asks again.
    func repeatRefresh() async throws -> Bool {
        guard let (app, person, session) = anySession({ $0.token.previous != nil }),
            let previous = session.token.previous
        else { return false }
        try await refresh(previous, of: session, person, in: app)
        return true
    }

    /// A token of two exchanges ago comes back: somebody has a copy.
    func replayOldRefreshToken() async throws -> Bool {
        guard let (app, person, session) = anySession({ $0.token.previous?.previous != nil }),
            let old = session.token.previous?.previous
        else { return false }
        try await refresh(old, of: session, person, in: app)
        return true
    }

    /// What presenting a refresh token has to come to.
    enum Refreshing { case exchanged, repeated, refused, reused }

    func expectation(of token: RefreshModel, in session: SessionModel, _ person: Person) -> Refreshing {
        let isAlive = token.expiresAt > now && session.isAlive(for: person, at: now)
        guard let usedAt = token.usedAt else { return isAlive ? .exchanged : .refused }
        let isRepeat =
            isAlive && now <= usedAt + Lifetimes.refreshGrace && token.isSealed && token.successor?.usedAt == nil
        return isRepeat ? .repeated : .reused
    }

    private func refresh(
        _ token: RefreshModel, of session: SessionModel, _ person: Person, in app: SimulatedApp
    ) async throws {
        let expected = expectation(of: token, in: session, person)
        let answer = try await app.flows.refresh.refresh(
            token.token, by: app.client, idTokensBy: .es256, in: app.scope, from: TestFlows.origin)
        note(answer, of: token, expected, in: session, of: app)
    }

    /// Compares the answer to a refresh with what it must be, and takes note of it.
    func note(
        _ answer: TokenAnswer?, of token: RefreshModel, _ expected: Refreshing, in session: SessionModel,
        of app: SimulatedApp
    ) {
        switch (expected, answer) {
        case (.exchanged, let answer?):
            noteExchanged(token, for: answer, in: session, of: app)
        case (.repeated, let answer?):
            if answer.refreshToken.hash != token.successor?.token.hash {
                breach(.nothingRedeemedTwice, "a repeat within the grace got another successor")
            }
        case (.refused, nil):
            app.count("token.refused")
        case (.reused, nil):
            app.count("token.refused")
            guard !session.isEnded else { return }
            session.isEnded = true
            app.owe(.sessionEnded)
        case (.refused, .some):
            breach(.theDeadStayDead, "a dead refresh token was exchanged")
        case (.reused, .some):
            breach(.nothingRedeemedTwice, "a used refresh token was exchanged again")
        case (.exchanged, nil), (.repeated, nil):
            differ("a refresh token that stands was refused: \(expected)")
        }
    }

    private func noteExchanged(
        _ token: RefreshModel, for answer: TokenAnswer, in session: SessionModel, of app: SimulatedApp
    ) {
        let idle = now + app.scope.settings.refreshIdleLife
        let successor = RefreshModel(answer.refreshToken, expiresAt: idle, previous: token)
        (token.usedAt, token.successor, token.isSealed) = (now, successor, true)
        token.previous?.isSealed = false
        (session.token, session.idleExpiresAt) = (successor, idle)
        session.accessToken = answer.accessToken
        session.accessTokenExpiresAt = now + .seconds(answer.expiresIn)
        app.count("token.refreshed")
    }

    func useAccessToken() async throws -> Bool {
        guard let (app, person, session) = anySession({ _ in true }) else { return false }
        _ = try await liveSession(session, of: person, in: app)
        return true
    }

    /// Presents the newest access token of a session, and compares what it opens with what it must.
    private func liveSession(
        _ session: SessionModel, of person: Person, in app: SimulatedApp
    ) async throws -> LiveSession? {
        let isValid = session.accessTokenExpiresAt.seconds > now.seconds
        let isAlive = isValid && session.isAlive(for: person, at: now)
        let outcome = try await app.flows.session.session(
            ofAccessToken: session.accessToken.revealed, in: app.scope)
        switch outcome {
        case .live(let live):
            if !isAlive { breach(.theDeadStayDead, "an access token of a dead session opened it") }
            if live.user.id != person.id { breach(.noRowOfAnotherApp, "an access token opened another's session") }
            return live
        case .refused(let refusal):
            if isAlive { differ("an access token that stands was refused: \(refusal.code)") }
            return nil
        }
    }

    func signOut() async throws -> Bool {
        guard let (app, person, session) = anySession({ !$0.isEnded }) else { return false }
        guard let live = try await liveSession(session, of: person, in: app) else { return true }
        try await app.flows.signOut.signOut(live, in: app.scope, from: TestFlows.origin)
        session.isEnded = true
        app.count("session.ended")
        app.owe(.sessionEnded)
        return true
    }

    func signOutEverywhere() async throws -> Bool {
        guard let (app, person, session) = anySession({ !$0.isEnded }) else { return false }
        guard let live = try await liveSession(session, of: person, in: app) else { return true }
        try await app.flows.signOut.signOutEverywhere(live, in: app.scope, from: TestFlows.origin)
        person.raiseEpoch()
        app.owe(.sessionEnded, person.endSessions())
        app.count("user.signed_out_everywhere")
        return true
    }
}
