import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/consent`: the page that asks whether a client of somebody else's may use the account;
/// and `POST …/account/consents/{client}/revoke`, the form of the account's page that takes it back.
struct ConsentPages: Sendable {
    let flow: ConsentFlow
    let account: AccountFlow
    let visits: PageVisits

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("consent", use: show)
            .post("consent", use: answer)
            .post("account/consents/{client}/revoke", use: revoke)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        let id = try Self.request(request)
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        switch try await flow.question(id, by: tokens, in: context.scope) {
        case .gone: throw Problem(.invalidAuthorizationRequest)
        case .signInNeeded: return Self.toSignIn(id, context)
        case .question(let question): return try page(question, request, context)
        }
    }

    private func page(
        _ question: ConsentFlow.Question, _ request: Request, _ context: AppRequestContext
    ) throws -> Response {
        let (waiting, pages) = (question.request, visits.pages)
        let reader = pages.reader(of: request, context.app, locale: waiting.locale)
        let page = ConsentPage(
            client: question.client,
            place: waiting.redirectURI.hasPrefix("https:") ? RedirectURI(waiting.redirectURI)?.place : nil,
            told: pages.told(waiting.scope, for: reader),
            email: question.session.user.email, session: "\(question.session.id)", query: "?request=\(waiting.id)",
            formTargets: FormTargets.targets(of: waiting, isDevelopment: visits.isDevelopment))
        return try pages.response(page, to: reader)
    }

    @Sendable func answer(_ request: Request, context: AppRequestContext) async throws -> Response {
        let (form, id) = (try await request.form(), try Self.request(request))
        let (tokens, origin) = (HostedCookies.tokens(in: request, of: context.scope), context.origin(of: request))
        let asked = form["session"].flatMap { SessionID($0) }
        let outcome =
            switch form["answer"] {
            case "allow": try await flow.allow(id, asked: asked, by: tokens, in: context.scope, from: origin)
            case "cancel": try await flow.decline(id, asked: asked, by: tokens, in: context.scope, from: origin)
            default: throw Problem(.invalidRequest)
            }
        switch outcome {
        case .answered(let location): return .seeOther(location)
        case .askedAnew: return .seeOther("/apps/\(context.scope.appID)/consent?request=\(id)")
        case .signInNeeded: return Self.toSignIn(id, context)
        case .gone: throw Problem(.invalidAuthorizationRequest)
        }
    }

    @Sendable func revoke(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        guard let client = context.parameters.get("client", as: ClientID.self) else { throw Problem(.notFound) }
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard let session = try await account.session(by: tokens, in: context.scope) else { return .toSignIn(context) }
        let refusal = try await flow.revoke(
            client, of: session.user.id, session: session.id, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .toAccount(context, done: .consent)
    }

    private static func request(_ request: Request) throws -> AuthorizationRequestID {
        guard let id = try request.authorizationRequest() else { throw Problem(.invalidAuthorizationRequest) }
        return id
    }

    private static func toSignIn(_ id: AuthorizationRequestID, _ context: AppRequestContext) -> Response {
        .seeOther("/apps/\(context.scope.appID)/sign-in?request=\(id)")
    }
}
