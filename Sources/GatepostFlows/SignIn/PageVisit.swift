import GatepostModel
import GatepostStore

/// What a hosted page is shown for, as far as the browser's cookies prove it.
struct PageVisit: Sendable {
    /// What a sign-in there is for; nil if the page names a request that is not this browser's, or no longer waits.
    let goal: SignInEnding.Goal?
    let request: AuthorizationRequestRecord?
    let session: HostedSession?
}

extension AppBatch {
    /// Reads what a page is shown for.
    mutating func visit(
        _ request: AuthorizationRequestID?, _ tokens: BrowserTokens, at now: Instant
    ) -> BatchReading<PageVisit> {
        let session = tokens.session.map { hostedSession($0, at: now) } ?? nothing()
        guard let request else {
            return session.map { PageVisit(goal: .account(browser: tokens.browser), request: nil, session: $0) }
        }
        guard let browser = tokens.browser else {
            return session.map { PageVisit(goal: nil, request: nil, session: $0) }
        }
        return authorizationRequest(request, heldBy: browser, at: now).and(session).map { waiting, session in
            PageVisit(
                goal: waiting.map { .request($0.id, heldBy: browser) }, request: waiting, session: session)
        }
    }
}
