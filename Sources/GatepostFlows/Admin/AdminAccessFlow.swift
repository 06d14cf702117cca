package import GatepostModel
package import GatepostStore

/// Tells who asks the admin API and what they may do.
///
/// Admins sign in like any user, in the built-in app, and present its access token; programs present an API key. What
/// either may do is read anew at each request: a role that was taken away is gone at once.
package struct AdminAccessFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let session: SessionFlow

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, session: SessionFlow) {
        (self.database, self.clock, self.session) = (database, clock, session)
    }

    /// What presenting a token or key came to.
    package enum Outcome: Sendable {
        case known(AdminPrincipal)
        case refused(Refusal)
    }

    /// Finds out who carries a token.
    package func principal(presenting text: String) async throws -> Outcome {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.invalidAPIKey)) }
        guard text.hasPrefix(OneTimeToken.Purpose.apiKey.rawValue + "_") else {
            return try await admin(presenting: text, in: scope)
        }
        guard let token = OneTimeToken(.apiKey, presented: text),
            let key = try await database.batch(in: scope, { $0.liveAPIKey(token, at: clock.now) })
        else { return .refused(Refusal(.invalidAPIKey)) }
        if let maker = key.madeBy {
            // A key is worth no more than whoever made it: they know it.
            let grants = try await database.batch(in: scope) { $0.adminGrants(of: maker) }
            guard AdminPrincipal(.admin(maker), grants: grants).covers(key.grant) else {
                return .refused(Refusal(.invalidAPIKey))
            }
        }
        return .known(AdminPrincipal(.apiKey(key.id, madeBy: key.madeBy), grants: [key.grant]))
    }

    private func admin(presenting text: String, in scope: AppScope) async throws -> Outcome {
        switch try await session.session(ofAccessToken: text, in: scope) {
        case .live(let session):
            let grants = try await database.batch(in: scope) { $0.adminGrants(of: session.user.id) }
            return .known(AdminPrincipal(.admin(session.user.id), grants: grants))
        case .refused(let refusal):
            return .refused(refusal)
        }
    }
}
