import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/account`, the ends of its sessions, and `/apps/{app}/sign-out`: what somebody who is signed in sees.
struct AccountRoutes: Sendable {
    let flow: AccountFlow
    let logout: LogoutFlow
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
        let location = try await destination(of: request, context)
        return try pages.response(
            SignOutPage(
                email: session?.user.email,
                formTargets: location.map { FormTargets.targets(to: $0, isDevelopment: false) } ?? []),
            to: pages.reader(of: request, context.app))
    }

    @Sendable func signOut(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let location = try await destination(of: request, context)
        let (tokens, origin) = (HostedCookies.tokens(in: request, of: context.scope), context.origin(of: request))
        if location == nil {
            try await flow.signOut(by: tokens, in: context.scope, from: origin)
        } else {
            try await logout.logOut(by: tokens, in: context.scope, from: origin)
        }
        var response = Response.seeOther(location ?? "/apps/\(context.scope.appID)/sign-out")
        response.setCookie(HostedCookies.removingSession(of: context.scope))
        return response
    }

    /// Where a client wants the browser to go after the sign-out that it has asked for; nil where none has.
    private func destination(of request: Request, _ context: AppRequestContext) async throws -> String? {
        let form = try request.queryForm()
        let destination = try await logout.destination(
            of: form["client_id"], form["post_logout_redirect_uri"], form["state"], in: context.scope)
        switch destination {
        case .address(let location): return location
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}
