import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport

/// Postgres ends a connection in the middle of a commit: the caller does not know, and nothing has happened.
extension World {
    func loseCommit() async throws -> Bool {
        guard let deed = try chooseDeed() else { return false }
        try await witness.lightFuse()
        do {
            try await deed()
            differ("a commit was to be lost and was not")
        } catch let error as PostgresError {
            if !error.outcomeIsUnknown { differ("a lost commit was reported as \(error.kind)") }
        }
        try await witness.putFuseOut()
        return true
    }

    /// A write that somebody tries; what it does before its last transaction, the model takes note of here.
    private func chooseDeed() throws -> (() async throws -> Void)? {
        guard let (app, person) = anybody({ $0.exists }) else { return nil }
        let scope = app.scope
        switch chance.number(below: 5) {
        case 0:
            _ = person.mailLimit.spend(at: now)
            return {
                _ = try await app.flows.signUp.start(
                    person.email, password: Self.passwords[0], in: scope, from: TestFlows.origin)
            }
        case 1:
            guard let signUp = person.signUps.last else { return nil }
            return {
                _ = try await app.flows.verification.confirm(
                    signUp.secrets.linkToken, startedBy: signUp.started.token, in: scope, from: TestFlows.origin)
            }
        case 2:
            guard let code = person.codes.last else { return nil }
            let presented = try presentation(of: code.code, in: app)
            return {
                _ = try await app.flows.codeExchange.exchange(
                    presented, idTokensBy: .es256, in: scope, from: TestFlows.origin)
            }
        case 3:
            guard let session = person.sessions.last,
                expectation(of: session.token, in: session, person) != .repeated
            else { return nil }
            let token = session.token.token
            return {
                _ = try await app.flows.refresh.refresh(
                    token, by: app.client, idTokensBy: .es256, in: scope, from: TestFlows.origin)
            }
        default:
            guard let id = person.id, !person.isDeactivated else { return nil }
            return {
                _ = try await app.flows.admin.users.deactivate(id, note: nil, for: self.request, in: scope)
            }
        }
    }
}
