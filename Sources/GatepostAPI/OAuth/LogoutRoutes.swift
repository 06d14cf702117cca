import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/oauth/logout`: where a client has a browser signed out (RP-Initiated Logout 1.0).
struct LogoutRoutes: Sendable {
    let flow: LogoutFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("oauth/logout", use: logOut)
            .post("oauth/logout", use: continueByGet)
    }

    @Sendable func logOut(_ request: Request, context: AppRequestContext) async throws -> Response {
        // Whoever only looks asks for nothing.
        guard request.method != .head else { return Response(status: .ok) }
        let (scope, form) = (context.scope, try request.queryForm())
        let asked = LogoutFlow.Asked(
            idTokenHint: form["id_token_hint"], client: form["client_id"],
            redirectURI: form["post_logout_redirect_uri"],
            state: form["state"])
        let outcome = try await flow.logOut(
            asked, by: HostedCookies.tokens(in: request, of: scope), in: scope, from: context.origin(of: request))
        switch outcome {
        case .signedOut(let location):
            var response = Response.seeOther(location ?? "/apps/\(scope.appID)/sign-out")
            response.setCookie(HostedCookies.removingSession(of: scope))
            return response
        case .ask(let query): return .seeOther("/apps/\(scope.appID)/sign-out\(query)")
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// Has a browser that was sent here by a form come again by GET; see `AuthorizeRoutes`.
    @Sendable func continueByGet(_ request: Request, context: AppRequestContext) async throws -> Response {
        .seeOther("/apps/\(context.scope.appID)/oauth/logout?\(try await request.formAsQuery())")
    }
}
