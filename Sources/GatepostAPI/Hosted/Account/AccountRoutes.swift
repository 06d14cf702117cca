import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/account`, the ends of its sessions, and `/apps/{app}/sign-out`: what somebody who is signed in sees.
struct AccountRoutes: Sendable {
    let flow: AccountFlow
    let shown: AccountShown

    private var pages: Pages { shown.pages }

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("account", use: show)
            .post("account/sessions/{session}/end", use: end)
            .post("account/sessions/end-others", use: endOthers)
            .get("sign-out", use: showSignOut)
            .post("sign-out", use: signOut)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await shown.response(request, context)
    }

    @Sendable func end(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        guard let id = context.parameters.get("session", as: SessionID.self) else { throw Problem(.notFound) }
        let isSignedIn = try await flow.end(
            id, by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        return isSignedIn ? .toAccount(context, done: .ended) : .toSignIn(context)
    }

    @Sendable func endOthers(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let isSignedIn = try await flow.endOthers(
            by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        return isSignedIn ? .toAccount(context, done: .endedOthers) : .toSignIn(context)
    }

    @Sendable func showSignOut(_ request: Request, context: AppRequestContext) async throws -> Response {
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        let session = try await flow.session(by: tokens, in: context.scope)
        return try pages.response(
            SignOutPage(email: session?.user.email), to: pages.reader(of: request, context.app))
    }

    @Sendable func signOut(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        try await flow.signOut(
            by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        var response = Response.seeOther("/apps/\(context.scope.appID)/sign-out")
        response.setCookie(HostedCookies.removingSession(of: context.scope))
        return response
    }
}
