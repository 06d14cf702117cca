import GatepostFlows
import GatepostModel
import TestSupport

/// Uses that meet in Postgres, and secrets that are presented to the wrong app.
extension World {
    static let racerCount = 3

    func raceForLink() async throws -> Bool {
        guard
            let (app, person) = anybody({ person in
                person.signUps.last.map { $0.hasMail && $0.stands(for: person, at: now) } ?? false
            }), let signUp = person.signUps.last
        else { return false }
        let (flow, scope) = (app.flows.verification, app.scope)
        let (link, token) = (signUp.secrets.linkToken, signUp.started.token)
        let outcomes = try await race(Self.racerCount) {
            try await flow.confirm(link, startedBy: token, in: scope, from: TestFlows.origin)
        }
        var users: [UserID] = []
        for outcome in outcomes {
            if case .verified(let user) = outcome { users.append(user) } else { app.count("verification.refused") }
        }
        if users.count != 1 { breach(.nothingRedeemedTwice, "\(users.count) of \(outcomes.count) won a link") }
        if let user = users.first { pass(signUp, by: person, as: user, in: app) }
        return true
    }

    func raceForCode() async throws -> Bool {
        guard
            let (app, person) = anybody({ person in
                person.codes.last.map { $0.stands(for: person, at: now) } ?? false
            }), let code = person.codes.last
        else { return false }
        let (flow, scope) = (app.flows.codeExchange, app.scope)
        let presented = try presentation(of: code.code, in: app)
        let answers = try await race(Self.racerCount) {
            try await flow.exchange(presented, idTokensBy: .es256, in: scope, from: TestFlows.origin)
        }
        let won = answers.compactMap { $0 }
        if won.count != 1 { breach(.nothingRedeemedTwice, "\(won.count) of \(answers.count) exchanged a code") }
        if let answer = won.first { noteExchanged(code, for: answer, of: person, in: app) }
        for _ in won.count..<answers.count { noteRefused(code, of: person, in: app) }
        return true
    }

    func raceForRefresh() async throws -> Bool {
        guard
            let (app, person) = anybody({ person in
                person.sessions.contains { expectation(of: $0.token, in: $0, person) == .exchanged }
            }),
            let session = person.sessions.first(where: { expectation(of: $0.token, in: $0, person) == .exchanged })
        else { return false }
        let (flow, scope, client, token) = (app.flows.refresh, app.scope, app.client, session.token)
        let presented = token.token
        let answers = try await race(Self.racerCount) {
            try await flow.refresh(presented, by: client, idTokensBy: .es256, in: scope, from: TestFlows.origin)
        }
        note(answers.first ?? nil, of: token, .exchanged, in: session, of: app)
        for answer in answers.dropFirst() { note(answer, of: token, .repeated, in: session, of: app) }
        return true
    }

    /// What one app has issued opens nothing in another.
    func presentSecretElsewhere() async throws -> Bool {
        guard let (app, person) = anybody({ !$0.signUps.isEmpty || !$0.codes.isEmpty || !$0.sessions.isEmpty }),
            let other = apps.first(where: { $0 !== app })
        else { return false }
        var isOpened = false
        if let signUp = person.signUps.last {
            let outcome = try await other.flows.verification.confirm(
                signUp.secrets.linkToken, startedBy: signUp.started.token, in: other.scope, from: TestFlows.origin)
            if case .verified = outcome { isOpened = true }
            other.count("verification.refused")
        }
        if let code = person.codes.last {
            let presented = try presentation(of: code.code, in: other)
            let answer = try await other.flows.codeExchange.exchange(
                presented, idTokensBy: .es256, in: other.scope, from: TestFlows.origin)
            isOpened = isOpened || answer != nil
            other.count("token.refused")
        }
        if let session = person.sessions.last {
            let answer = try await other.flows.refresh.refresh(
                session.token.token, by: other.client, idTokensBy: .es256, in: other.scope, from: TestFlows.origin)
            let opened = try await other.flows.session.session(
                ofAccessToken: session.accessToken.revealed, in: other.scope)
            if case .live = opened { isOpened = true }
            isOpened = isOpened || answer != nil
            other.count("token.refused")
        }
        if isOpened { breach(.noRowOfAnotherApp, "a secret of one app opened something in another") }
        return true
    }
}
