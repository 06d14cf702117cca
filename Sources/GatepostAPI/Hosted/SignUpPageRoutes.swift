import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/sign-up`, `…/sign-up/mail` and `…/sign-up/resend`: opening an account in a browser, with one code to
/// type.
///
/// The address of each page names the client's request and, after the first, the flow; both belong to the browser's
/// cookie, so an address that somebody else gets hold of shows nothing.
struct SignUpPageRoutes: Sendable {
    let signUp: SignUpFlow
    let verification: VerificationFlow
    let visits: PageVisits

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("sign-up", use: show)
            .post("sign-up", use: start)
            .get("sign-up/mail", use: showMail)
            .post("sign-up/mail", use: verify)
            .post("sign-up/resend", use: resend)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        try page(try await visits.look(request, context), request, context)
    }

    @Sendable func start(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let visit = try await visits.look(request, context)
        let reader = visits.reader(visit, request, context)
        func again(_ text: String, at field: String?) throws -> Response {
            try page(
                visit, request, context, email: form["email"], FormProblem(text, at: field), .unprocessableContent)
        }
        func refused(_ code: ProblemCode, _ text: String, at field: String) throws -> ShownRefusal {
            ShownRefusal(code: code, page: try again(text, at: field))
        }
        guard let text = form["email"] else {
            throw try refused(.invalidRequest, visits.pages.text("field_missing_email", for: reader), at: "email")
        }
        guard let email = EmailAddress(text) else {
            throw try refused(.invalidEmailAddress, visits.pages.text(.invalidEmailAddress, for: reader), at: "email")
        }
        guard let password = form["password"] else {
            throw try refused(.invalidRequest, visits.pages.text("field_missing_password", for: reader), at: "password")
        }
        let browser = visits.browser(request, context)
        let outcome = try await signUp.start(
            email, password: Secret(password), heldBy: browser, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .started(let started):
            var response = Response.seeOther(
                "/apps/\(context.scope.appID)/sign-up/mail\(visits.query(visit, flow: started.flow))")
            response.setCookie(HostedCookies.browser(browser, of: context.scope))
            return response
        case .refused(let refusal) where refusal.code == .weakPassword:
            return try again(visits.pages.text(refusal, for: reader), at: "password")
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// "Look into your mail": the code to type, and the mail once more.
    @Sendable func showMail(_ request: Request, context: AppRequestContext) async throws -> Response {
        let isSent = try request.queryForm()["sent"] != nil
        return try await mailPage(request, context, isSent: isSent)
    }

    @Sendable func verify(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let visit = try await visits.look(request, context)
        let reader = visits.reader(visit, request, context)
        let flow = try request.flow()
        guard let code = form["code"] else {
            let problem = FormProblem(visits.pages.text("field_missing_code", for: reader), at: "code")
            throw ShownRefusal(code: .invalidRequest, page: try await mailPage(request, context, problem))
        }
        let outcome = try await verification.verify(
            flow, code: code, for: visit.request?.id, by: HostedCookies.tokens(in: request, of: context.scope),
            in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .verified(let ended?): return SignInPageRoutes.response(ended, in: context.scope)
        case .verified(nil): return try visits.pages.response(PlainPage.linkDone, to: reader)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await mailPage(
                request, context, FormProblem(visits.pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func resend(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let visit = try await visits.look(request, context)
        let flow = try request.flow()
        guard
            let browser = HostedCookies.tokens(in: request, of: context.scope).browser
        else { throw Problem(.invalidFlow) }
        let refusal = try await verification.resend(
            flow, startedBy: browser, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .seeOther(
            "/apps/\(context.scope.appID)/sign-up/mail\(visits.query(visit, flow: flow))&sent=again")
    }

    private func mailPage(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem? = nil, isSent: Bool = false
    ) async throws -> Response {
        let visit = try await visits.look(request, context)
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        let flow = try request.flow()
        guard
            let email = try await verification.waiting(flow, by: tokens, in: context.scope)
        else { throw Problem(.invalidFlow) }
        let page = CheckMailPage(
            email: email, problem: problem, isSentAgain: isSent, resendPath: "resend\(visits.query(visit, flow: flow))",
            backPath: "../sign-up\(visits.query(visit))", formTargets: visits.formTargets(visit))
        return try visits.pages.response(
            page, to: visits.reader(visit, request, context), status: problem == nil ? .ok : .unprocessableContent)
    }

    private func page(
        _ visit: PageVisitFlow.Visit, _ request: Request, _ context: AppRequestContext, email: String? = nil,
        _ problem: FormProblem? = nil, _ status: HTTPResponse.Status = .ok
    ) throws -> Response {
        guard context.scope.appID != .gatepost else { throw Problem(.notFound) }
        let page = SignUpPage(
            email: email ?? visit.request?.loginHint, problem: problem, query: visits.query(visit))
        return try visits.pages.response(page, to: visits.reader(visit, request, context), status: status)
    }
}
