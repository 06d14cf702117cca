import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/account`, the ends of its sessions, and `/apps/{app}/sign-out`: what somebody who is signed in sees.
struct AccountRoutes: Sendable {
    let flow: AccountFlow
    let logout: LogoutFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("account", use: show)
            .post("account/sessions/{session}/end", use: end)
            .post("account/sessions/end-others", use: endOthers)
            .get("sign-out", use: showSignOut)
            .post("sign-out", use: signOut)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard let account = try await flow.account(by: tokens, in: context.scope) else {
            return Self.toSignIn(context)
        }
        let reader = pages.reader(of: request, context.app)
        let here = account.session.id
        let lines = account.sessions.map { session in
            AccountPage.Line(
                id: "\(session.id)", isHere: session.id == here,
                title: session.clientID.flatMap { account.clients[$0] } ?? pages.text("account_pages", for: reader),
                device: DeviceName(userAgent: session.userAgent).text ?? pages.text("account_device", for: reader),
                ip: session.ip, lastUsed: session.lastUsedAt.minuteText, lastUsedAt: "\(session.lastUsedAt)")
        }
        let page = AccountPage(
            email: account.session.user.email, since: String(account.session.user.createdAt.description.prefix(10)),
            sessions: lines.filter(\.isHere) + lines.filter { !$0.isHere }, hasOthers: lines.contains { !$0.isHere })
        return try pages.response(page, to: reader)
    }

    @Sendable func end(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        guard let id = context.parameters.get("session", as: SessionID.self) else { throw Problem(.notFound) }
        let isSignedIn = try await flow.end(
            id, by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        return isSignedIn ? .seeOther("/apps/\(context.scope.appID)/account") : Self.toSignIn(context)
    }

    @Sendable func endOthers(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let isSignedIn = try await flow.endOthers(
            by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        return isSignedIn ? .seeOther("/apps/\(context.scope.appID)/account") : Self.toSignIn(context)
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

    private static func toSignIn(_ context: AppRequestContext) -> Response {
        .seeOther("/apps/\(context.scope.appID)/sign-in")
    }
}

extension Instant {
    /// `2026-11-23 09:30 UTC`, for people: a page without scripts does not know where they are.
    fileprivate var minuteText: String { "\(String(description.prefix(16)).replacing("T", with: " ")) UTC" }
}
