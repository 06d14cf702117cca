import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /apps/{app}/account/identities/{identity}/unlink` and `…/account/providers/{name}/link`: the forms of the
/// account's page about who somebody is with identity providers.
struct IdentityPages: Sendable {
    let flow: IdentityFlow
    let ways: ProviderSignInFlow
    let shown: AccountShown

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("account/identities/{identity}/unlink", use: unlink)
            .post("account/providers/{name}/link", use: link)
    }

    @Sendable func unlink(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        guard let id = context.parameters.get("identity", as: UserIdentityID.self) else { throw Problem(.notFound) }
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let refusal = try await flow.unlink(
            id, of: session.user.id, session: session.id, in: context.scope, from: context.origin(of: request))
        switch refusal?.code {
        case nil: return .toAccount(context, done: .unlinked)
        case .conflict: return try await shown.response(request, context, refusal: refusal)
        default: throw refusal.map { Problem($0) } ?? Problem(.internalError)
        }
    }

    @Sendable func link(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let name = try context.providerName
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let start = try await ways.start(
            name, for: .link(Asking(session)), by: HostedCookies.tokens(in: request, of: context.scope),
            in: context.scope, from: context.origin(of: request))
        switch start {
        case .sent(let location, let holder):
            var response = Response.seeOther(location)
            response.setCookie(HostedCookies.browser(holder, of: context.scope))
            return response
        case .refused(let refusal) where refusal.code == .recentSignInRequired:
            return try shown.pages.signInAgain(shown.pages.reader(of: request, context.app), context)
        case .refused(let refusal) where refusal.code == .providerUnavailable:
            return try await shown.response(request, context, refusal: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func session(_ request: Request, _ context: AppRequestContext) async throws -> HostedSession? {
        try await shown.flow.session(
            by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope)
    }
}
