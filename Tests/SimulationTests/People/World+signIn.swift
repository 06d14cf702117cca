import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport

/// Sign-ins, and the exchange of their codes.
extension World {
    static let wrongVerifier = "another-verifier-of-forty-three-characters-012"

    func signIn(isRight: Bool) async throws -> Bool {
        guard let (app, person) = anybody({ $0.exists && ($0.isVerified || !isRight) }) else { return false }
        let wrong = Secret("nobody has chosen this sentence")
        let password = isRight ? person.password ?? wrong : wrong
        let isAllowed = person.spendProof(at: now)
        let outcome = try await app.flows.signIn.signIn(
            person.email, password: password, to: try client(of: app), in: app.scope, from: TestFlows.origin)
        let matches = isRight && person.isVerified
        let expected: ProblemCode? =
            !isAllowed
            ? .rateLimited : !matches ? .invalidCredentials : person.isDeactivated ? .userDeactivated : nil
        switch outcome {
        case .passed(let code):
            if let expected { breach(.theDeadStayDead, "a sign-in passed that is \(expected)") }
            person.refundProof()
            app.count("sign_in.passed")
            person.codes.append(
                CodeModel(code, epoch: person.epoch, expiresAt: now + Lifetimes.authorizationCode))
        case .factorAsked: differ("a second factor was asked for, which nobody has")
        case .refused(let refusal):
            app.count("sign_in.refused")
            if refusal.code != expected {
                differ("a sign-in was refused: \(refusal.code), not \(String(describing: expected))")
            }
        }
        return true
    }

    func client(of app: SimulatedApp) throws -> PasswordSignInFlow.Client {
        PasswordSignInFlow.Client(
            id: app.client, redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge())
    }

    func presentation(
        of code: OneTimeToken, in app: SimulatedApp, verifier: String = TestFlows.codeVerifier
    ) throws -> CodePresentation {
        CodePresentation(
            code: code, clientID: app.client, redirectURI: TestFlows.redirectURI,
            challenge: try TestFlows.challenge(verifier: verifier))
    }

    func exchangeCode() async throws -> Bool {
        guard let (app, person) = anybody({ $0.codes.last.map { $0.session == nil } ?? false }),
            let code = person.codes.last
        else { return false }
        try await exchange(code, of: person, in: app)
        return true
    }

    func exchangeCodeAgain() async throws -> Bool {
        guard let (app, person) = anybody({ $0.codes.contains { $0.session != nil } }),
            let code = chosen(person.codes.filter { $0.session != nil })
        else { return false }
        try await exchange(code, of: person, in: app)
        return true
    }

    private func exchange(_ code: CodeModel, of person: Person, in app: SimulatedApp) async throws {
        let stands = code.stands(for: person, at: now)
        let answer = try await app.flows.codeExchange.exchange(
            try presentation(of: code.code, in: app), idTokensBy: .es256, in: app.scope, from: TestFlows.origin)
        guard let answer else {
            if stands { differ("a code that stands was refused") }
            return noteRefused(code, of: person, in: app)
        }
        guard stands else {
            return breach(
                code.session == nil ? .nothingExpiredAccepted : .nothingRedeemedTwice,
                "a code that does not stand was exchanged")
        }
        noteExchanged(code, for: answer, of: person, in: app)
    }

    func noteExchanged(_ code: CodeModel, for answer: TokenAnswer, of person: Person, in app: SimulatedApp) {
        let session = SessionModel(answer, epoch: code.epoch, in: app, at: now)
        code.session = session
        person.sessions.append(session)
        person.forgetOld()
        app.count("session.started")
    }

    /// A refused exchange; the second use of a code ends what the first one gave.
    func noteRefused(_ code: CodeModel, of person: Person, in app: SimulatedApp) {
        app.count("token.refused")
        guard let session = code.session, !code.isDeleted, !session.isEnded else { return }
        session.isEnded = true
        app.owe(.sessionEnded)
    }

    /// Whoever intercepts a code has no verifier: nothing comes of it, and nothing is spoilt.
    func exchangeWithWrongVerifier() async throws -> Bool {
        guard let (app, person) = anybody({ !$0.codes.isEmpty }), let code = person.codes.last else { return false }
        let presented = try presentation(of: code.code, in: app, verifier: Self.wrongVerifier)
        let answer = try await app.flows.codeExchange.exchange(
            presented, idTokensBy: .es256, in: app.scope, from: TestFlows.origin)
        if answer != nil { breach(.nothingRedeemedTwice, "a code was exchanged without its verifier") }
        app.count("token.refused")
        return true
    }
}
