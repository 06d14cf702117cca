import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/password-reset` and `…/password-reset/code`: a forgotten password, on the hosted pages.
struct PasswordResetPages: Sendable {
    let flow: PasswordResetFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("password-reset", use: show)
            .post("password-reset", use: start)
            .get("password-reset/code", use: showCode)
            .post("password-reset/code", use: confirm)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        try page(nil, request, context, nil)
    }

    @Sendable func start(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let reader = pages.reader(of: request, context.app)
        guard let email = form["email"].flatMap(EmailAddress.init) else {
            let text =
                form["email"] == nil
                ? pages.text("field_missing_email", for: reader) : pages.text(.invalidEmailAddress, for: reader)
            throw ShownRefusal(
                code: form["email"] == nil ? .invalidRequest : .invalidEmailAddress,
                page: try page(form["email"], request, context, FormProblem(text, at: "email")))
        }
        let start = try await flow.start(
            email, by: HostedCookies.tokens(in: request, of: context.scope), locale: reader.language,
            in: context.scope, from: context.origin(of: request))
        switch start {
        case .started(let started):
            var response = Response.seeOther(
                "/apps/\(context.scope.appID)/password-reset/code?flow=\(started.flow)\(try request.rest())")
            response.setCookie(HostedCookies.browser(started.token, of: context.scope))
            return response
        case .refused(let refusal) where refusal.code == .rateLimited:
            return try page(
                email.ascii, request, context, FormProblem(pages.text(refusal, for: reader)), limitedBy: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func showCode(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await codePage(request, context, nil)
    }

    @Sendable func confirm(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let id = try request.flow()
        let reader = pages.reader(of: request, context.app)
        func missing(_ field: String) async throws -> ShownRefusal {
            let problem = FormProblem(pages.text("field_missing_\(field)", for: reader), at: field)
            return ShownRefusal(code: .invalidRequest, page: try await codePage(request, context, problem))
        }
        guard let code = form["code"] else { throw try await missing("code") }
        guard let password = form["password"] else { throw try await missing("password") }
        guard let browser = HostedCookies.tokens(in: request, of: context.scope).browser else {
            throw Problem(.invalidFlow)
        }
        let outcome = try await flow.confirm(
            id, heldBy: browser, code: code, choosing: Secret(password), in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .changed:
            return try pages.response(
                DonePage(template: "mail-reset-done", query: try request.rest(first: true)), to: reader)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await codePage(request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal) where refusal.code == .weakPassword:
            return try await codePage(
                request, context, FormProblem(pages.text(refusal, for: reader), at: "password"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func page(
        _ email: String?, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?,
        limitedBy refusal: Refusal? = nil
    ) throws -> Response {
        let page = EmailPage(
            template: "mail-reset", email: email, problem: problem, query: try request.rest(first: true))
        return try pages.formResponse(
            page, to: pages.reader(of: request, context.app), limitedBy: refusal)
    }

    private func codePage(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response {
        let id = try request.flow()
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard
            let email = try await flow.parts.address(of: id, heldBy: tokens.browser, .passwordReset, in: context.scope)
        else { throw Problem(.invalidFlow) }
        let page = CodePage(
            template: "mail-reset-code", email: email, problem: problem, query: try request.rest(first: true))
        return try pages.formResponse(page, to: pages.reader(of: request, context.app))
    }
}

extension Request {
    /// The client's request that the address of a page names, as the end of another page's address; empty if none.
    fileprivate func rest(first: Bool = false) throws -> String {
        try authorizationRequest().map { "\(first ? "?" : "&")request=\($0)" } ?? ""
    }
}
