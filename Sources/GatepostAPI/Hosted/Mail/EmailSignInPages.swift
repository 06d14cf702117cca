import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/sign-in/email` and `…/sign-in/code`: signing in by mail on the hosted pages.
///
/// The flow is held by the browser's cookie, so its id may stand in the address: it opens nothing elsewhere.
struct EmailSignInPages: Sendable {
    let flow: EmailSignInFlow
    let visit: PageVisitFlow
    let pages: Pages
    /// Whether this is a server without TLS, where clients are on the same machine.
    let isDevelopment: Bool

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("sign-in/email", use: show)
            .post("sign-in/email", use: start)
            .get("sign-in/code", use: showCode)
            .post("sign-in/code", use: verify)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        let visit = try await look(request, context)
        return try page(visit, nil, request, context)
    }

    @Sendable func start(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let visit = try await look(request, context)
        let reader = pages.reader(of: request, context.app, locale: visit.request?.locale)
        guard let email = form["email"].flatMap(EmailAddress.init) else {
            let text =
                form["email"] == nil
                ? pages.text("field_missing_email", for: reader) : pages.text(.invalidEmailAddress, for: reader)
            throw ShownRefusal(
                code: form["email"] == nil ? .invalidRequest : .invalidEmailAddress,
                page: try page(visit, form["email"], request, context, FormProblem(text, at: "email")))
        }
        let start = try await flow.start(
            email, for: visit.request?.id, by: HostedCookies.tokens(in: request, of: context.scope),
            locale: reader.language, in: context.scope, from: context.origin(of: request))
        switch start {
        case .started(let started):
            let query = visit.request.map { "&request=\($0.id)" } ?? ""
            var response = Response.seeOther(
                "/apps/\(context.scope.appID)/sign-in/code?flow=\(started.flow)\(query)")
            response.setCookie(HostedCookies.browser(started.token, of: context.scope))
            return response
        case .refused(let refusal) where refusal.code == .rateLimited:
            let problem = FormProblem(pages.text(refusal, for: reader))
            return try page(visit, email.ascii, request, context, problem, limitedBy: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func showCode(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await codePage(request, context, nil)
    }

    @Sendable func verify(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let id = try request.flow()
        let reader = pages.reader(of: request, context.app)
        guard let code = form["code"] else {
            let problem = FormProblem(pages.text("field_missing_code", for: reader), at: "code")
            throw ShownRefusal(code: .invalidRequest, page: try await codePage(request, context, problem))
        }
        let outcome = try await flow.verify(
            id, by: HostedCookies.tokens(in: request, of: context.scope), code: code, in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .ended(let ended): return SignInPageRoutes.response(ended, in: context.scope)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await codePage(
                request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func look(_ request: Request, _ context: AppRequestContext) async throws -> PageVisitFlow.Visit {
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        let id = try request.authorizationRequest()
        guard let visit = try await visit.look(at: id, by: tokens, in: context.scope) else {
            throw Problem(.invalidAuthorizationRequest)
        }
        return visit
    }

    private func page(
        _ visit: PageVisitFlow.Visit, _ email: String?, _ request: Request, _ context: AppRequestContext,
        _ problem: FormProblem? = nil, limitedBy refusal: Refusal? = nil
    ) throws -> Response {
        let page = EmailPage(
            template: "mail-sign-in", email: email ?? visit.request?.loginHint, problem: problem,
            query: visit.request.map { "?request=\($0.id)" } ?? "")
        let reader = pages.reader(of: request, context.app, locale: visit.request?.locale)
        return try pages.formResponse(page, to: reader, limitedBy: refusal)
    }

    /// The page on which the code is typed, as long as the flow waits for it in this browser.
    private func codePage(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response {
        let id = try request.flow()
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard let email = try await flow.parts.address(of: id, heldBy: tokens.browser, .emailSignIn, in: context.scope)
        else { throw Problem(.invalidFlow) }
        let visit = try await look(request, context)
        let page = CodePage(
            template: "mail-code", email: email, problem: problem,
            query: visit.request.map { "?request=\($0.id)" } ?? "",
            formTargets: FormTargets.targets(of: visit.request, isDevelopment: isDevelopment))
        return try pages.formResponse(
            page, to: pages.reader(of: request, context.app, locale: visit.request?.locale))
    }
}
