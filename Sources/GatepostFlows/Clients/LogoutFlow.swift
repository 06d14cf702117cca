package import GatepostModel
package import GatepostStore

/// Signs a browser out of the hosted pages because a client asks (OpenID Connect RP-Initiated Logout 1.0).
///
/// A client that shows the ID token of whoever is signed in there has them signed out at once. Without it, any link
/// could do that; so the person is asked. The browser goes on to a registered address only, byte for byte.
package struct LogoutFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let verifier: TokenVerifier
    let account: AccountFlow

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, verifier: TokenVerifier, account: AccountFlow) {
        (self.database, self.clock, self.verifier, self.account) = (database, clock, verifier, account)
    }

    /// What a client sends along.
    package struct Asked: Sendable {
        package let idTokenHint: String?
        package let client: String?
        package let redirectURI: String?
        package let state: String?

        /// Gathers the parameters.
        package init(idTokenHint: String? = nil, client: String?, redirectURI: String?, state: String?) {
            (self.idTokenHint, self.client, self.redirectURI, self.state) = (idTokenHint, client, redirectURI, state)
        }
    }

    /// What asking came to.
    package enum Outcome: Sendable {
        /// Nobody is signed in any more; the browser goes there, or nowhere in particular.
        case signedOut(location: String?)
        /// The person is asked, on the page of the pages' own sign-out; this follows its address.
        case ask(query: String)
        /// Nobody is sent anywhere.
        case refused(Refusal)
    }

    /// Signs out, or has the person asked.
    package func logOut(
        _ asked: Asked, by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let hint: IDTokenHint? =
            if let text = asked.idTokenHint { try await verifier.hint(text, in: scope) } else { nil }
        let named = asked.client.map { ClientID($0) }
        if let hint, let named, named != hint.client {
            return .refused(Refusal(.invalidRequest, detail: "id_token_hint and client_id name two clients."))
        }
        let destination = try await destination(
            of: hint.map { $0.client.description } ?? asked.client, asked.redirectURI, asked.state, in: scope)
        switch destination {
        case .refused(let refusal): return .refused(refusal)
        case .address(let location):
            guard let session = try await account.session(by: tokens, in: scope) else {
                return .signedOut(location: location)
            }
            guard let hint, try await names(hint, session.user.id, in: scope) else {
                return .ask(query: Self.query(asked, hint))
            }
            try await end(session, and: hint.session, in: scope, from: origin)
            return .signedOut(location: location)
        }
    }

    /// Whether a hint names this user, by their id or by what its client calls them.
    private func names(_ hint: IDTokenHint, _ user: UserID, in scope: AppScope) async throws -> Bool {
        if let named = UserID(hint.subject) { return named == user }
        guard let sector = try await database.batch(in: scope, { $0.client(hint.client) })?.sector else { return false }
        return hint.subject == (try await verifier.subject(of: user, in: sector, scope))
    }

    /// Signs out after the person has said so, on the page to which a client had sent the browser.
    package func logOut(by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin) async throws {
        guard let session = try await account.session(by: tokens, in: scope) else { return }
        try await end(session, and: nil, in: scope, from: origin)
    }

    /// Ends the browser's session, those of clients that came from it (decision 29), and the one that a client named.
    private func end(
        _ session: HostedSession, and named: SessionID?, in scope: AppScope, from origin: RequestOrigin
    ) async throws {
        let user = session.user.id
        let living = try await database.batch(in: scope) { $0.liveSessions(of: user, at: clock.now) }
        let came = living.filter { $0.hostedID == session.id }.map(\.id)
        let all = Set([session.id] + came + [named].compactMap(\.self))
        try await account.end(Array(all), of: user, in: scope, from: origin)
    }

    /// Where a browser goes after a sign-out.
    package enum Destination: Sendable {
        /// Nil where the client has named no address.
        case address(String?)
        case refused(Refusal)
    }

    /// Where a browser goes after a sign-out: to an address that is registered for this client.
    package func destination(
        of client: String?, _ redirectURI: String?, _ state: String?, in scope: AppScope
    ) async throws -> Destination {
        let id = client.flatMap { ClientID($0) }
        guard client == nil || id != nil else { return .refused(Refusal(.unknownClient)) }
        let record = if let id { try await database.batch(in: scope) { $0.client(id) } } else { ClientRecord?.none }
        guard id == nil || record != nil else { return .refused(Refusal(.unknownClient)) }
        guard let redirectURI else { return .address(nil) }
        guard let record, record.postLogoutURIs.contains(where: { Array($0.utf8) == Array(redirectURI.utf8) }) else {
            return .refused(Refusal(.invalidRedirectURI))
        }
        return .address(state.map { RedirectLocation.text(redirectURI, [("state", $0)]) } ?? redirectURI)
    }

    private static func query(_ asked: Asked, _ hint: IDTokenHint?) -> String {
        guard let redirectURI = asked.redirectURI else { return "" }
        return RedirectLocation.text(
            "",
            [
                ("client_id", hint.map { $0.client.description } ?? asked.client),
                ("post_logout_redirect_uri", redirectURI), ("state", asked.state),
            ])
    }
}
