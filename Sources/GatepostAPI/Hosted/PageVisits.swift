import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// What the routes of pages have in common: whom a page is for, and how the addresses of a sign-in hang together.
struct PageVisits: Sendable {
    let flow: PageVisitFlow
    let pages: Pages
    let random: any RandomSource
    /// Whether this is a server without TLS, where clients are on the same machine.
    let isDevelopment: Bool

    /// What the page of a request is shown for.
    ///
    /// Throws a `Problem` where it names a client's request that is not this browser's, or no longer waits.
    func look(_ request: Request, _ context: AppRequestContext) async throws -> PageVisitFlow.Visit {
        let id = try request.authorizationRequest()
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard let visit = try await flow.look(at: id, by: tokens, in: context.scope) else {
            throw Problem(.invalidAuthorizationRequest)
        }
        return visit
    }

    /// Whom the page is rendered for.
    func reader(_ visit: PageVisitFlow.Visit, _ request: Request, _ context: AppRequestContext) -> PageReader {
        pages.reader(of: request, context.app, locale: visit.request?.locale)
    }

    /// The token that tells the browser from others; a new one if it has none yet.
    func browser(_ request: Request, _ context: AppRequestContext) -> OneTimeToken {
        HostedCookies.tokens(in: request, of: context.scope).browser ?? .make(.browser, random: random)
    }

    /// What follows the address of every page of the same sign-in: nothing, or what names it.
    func query(_ visit: PageVisitFlow.Visit, flow: FlowID? = nil) -> String {
        let parts = [visit.request.map { "request=\($0.id)" }, flow.map { "flow=\($0)" }].compactMap(\.self)
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    /// The buttons that lead to identity providers.
    func buttons(
        _ providers: [IdentityProviderRecord], _ visit: PageVisitFlow.Visit, _ reader: PageReader,
        _ context: AppRequestContext
    ) -> [ProviderButton] {
        providers.map { provider in
            ProviderButton(
                provider, text: pages.text("sign_in_with", for: reader, ["provider": provider.label]),
                query: query(visit), in: context.scope.appID)
        }
    }

    /// Where the forms of a page may lead in the end.
    func formTargets(_ visit: PageVisitFlow.Visit) -> [String] {
        FormTargets.targets(of: visit.request, isDevelopment: isDevelopment)
    }
}

extension Request {
    /// The query, read as a form.
    func queryForm() throws -> FormBody { try FormBody(Array((uri.query ?? "").utf8)) }

    /// The client's request that the address of a page names; nil if it names none.
    ///
    /// Throws a `Problem` for what is no such id.
    func authorizationRequest() throws -> AuthorizationRequestID? {
        guard let text = try queryForm()["request"] else { return nil }
        guard let id = AuthorizationRequestID(text) else { throw Problem(.invalidAuthorizationRequest) }
        return id
    }

    /// The flow that the address of a page names.
    ///
    /// Throws a `Problem` where it names none, or what is none.
    func flow() throws -> FlowID {
        guard let id = try queryForm()["flow"].flatMap({ FlowID($0) }) else { throw Problem(.invalidFlow) }
        return id
    }
}
