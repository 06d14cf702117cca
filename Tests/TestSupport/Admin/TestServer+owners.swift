import GatepostFlows
package import GatepostModel
package import GatepostStore

extension TestServer {
    /// The scope of the built-in app.
    package var builtIn: AppScope {
        get async throws {
            guard let scope = try await app.database.scope(of: .gatepost) else { throw TestAppMissing() }
            return scope
        }
    }

    /// A user of the built-in app with these roles, who has joined.
    ///
    /// - Parameters:
    ///   - name: What the address begins with; made unique, because tests share the built-in app.
    ///   - grants: What they may do.
    /// - Returns: The user.
    /// - Throws: What Postgres says.
    package func admin(_ name: String, _ grants: AdminGrant...) async throws -> UserID {
        let (now, user) = (app.clock.now, app.newID(UserID.self))
        guard let email = EmailAddress("\(name)-\(user)@example.com") else { throw TestAppMissing() }
        try await app.database.batch(in: try await builtIn) { batch in
            batch.insertUser(user, email: email, at: now)
            batch.markVerified(user, at: now)
            batch.setPassword("$test$", of: user, at: now)
            for grant in grants { batch.setAdminGrant(grant, of: user, id: app.newID(), at: now) }
        }
        return user
    }

    /// An access token of a new owner.
    package func owner() async throws -> String {
        try await accessToken(of: try await admin("owner", AdminGrant(.owner, in: nil)))
    }

    /// An access token of an admin, as a sign-in to the built-in app would end in.
    ///
    /// The built-in app gets a signing key if it has none; nothing of a real sign-in is left out but the password.
    package func accessToken(of admin: UserID) async throws -> String {
        let (now, scope, random) = (app.clock.now, try await builtIn, app.random)
        let setUp = AdminSetupFlow(database: app.database, clock: app.clock, random: random, keys: app.keys)
        guard let client = try await setUp.prepare(),
            let user = try await app.database.batch(in: scope, { $0.user(admin) })
        else { throw TestAppMissing() }
        let redirectURI = "http://127.0.0.1/callback"
        let code = OneTimeToken.make(.authorizationCode, random: random)
        let new = NewAuthorizationCode(
            code: code, clientID: client, redirectURI: redirectURI, challenge: try TestFlows.challenge(),
            userID: admin, authEpoch: user.authEpoch, credentialVersion: 1, amr: ["pwd"], at: now)
        let passed = AuditEvent(
            .signInPassed, by: .user, id: app.newID(), at: now, origin: TestFlows.origin, userID: admin,
            clientID: client)
        _ = try await app.database.batch(in: scope) { $0.insertAuthorizationCode(new, recording: passed) }
        let presented = CodePresentation(
            code: code, clientID: client, redirectURI: redirectURI, challenge: try TestFlows.challenge())
        let answer = try await flows.flows.codeExchange.exchange(
            presented, idTokensBy: .es256, in: scope, from: TestFlows.origin)
        guard let answer else { throw TestAppMissing() }
        return answer.accessToken.revealed
    }
}
