package import GatepostModel
package import GatepostStore

/// Looks at what a hosted page is to be shown for; changes nothing.
package struct PageVisitFlow: Sendable {
    let database: Database
    let clock: any WallClock

    /// Wires the flow.
    package init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    /// What a page may know before anybody has typed anything.
    package struct Visit: Sendable {
        /// What the client that waits asked for; nil on the account's own pages.
        package let request: AuthorizationRequestRecord?
        /// Who is signed in here.
        package let session: HostedSession?
        /// The identity providers that the person may take.
        package let providers: [IdentityProviderRecord]
    }

    /// What the browser began last and still waits for; nil if nothing does.
    package func latest(
        by tokens: BrowserTokens, in scope: AppScope
    ) async throws -> AuthorizationRequestRecord? {
        guard let browser = tokens.browser else { return nil }
        return try await database.batch(in: scope) {
            $0.latestAuthorizationRequest(heldBy: browser, at: clock.now)
        }
    }

    /// Looks at a request and at who is signed in; nil if the request is not this browser's, or no longer waits.
    package func look(
        at request: AuthorizationRequestID?, by tokens: BrowserTokens, in scope: AppScope
    ) async throws -> Visit? {
        let (visit, providers) = try await database.batch(in: scope) { batch in
            batch.visit(request, tokens, at: clock.now).and(batch.enabledIdentityProviders())
        }
        return visit.goal.map { _ in
            Visit(request: visit.request, session: visit.session, providers: providers)
        }
    }
}
