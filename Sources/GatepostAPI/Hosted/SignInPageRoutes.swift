import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/sign-in`: the page on which a person signs in, for a client that waits or for the
/// account's own pages.
struct SignInPageRoutes: Sendable {
    let flow: PasswordSignInFlow
    let devices: KnownDevices
    let visits: PageVisits

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("sign-in", use: show)
            .post("sign-in", use: submit)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        let visit = try await visits.look(request, context)
        // `again` is for what asks somebody who is signed in to prove it once more.
        if visit.request == nil, visit.session != nil, try request.queryForm()["again"] == nil {
            return .toAccount(context)
        }
        return try page(visit, request, context)
    }

    @Sendable func submit(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let visit = try await visits.look(request, context)
        let reader = visits.reader(visit, request, context)
        func again(_ text: String, at field: String?, _ status: HTTPResponse.Status = .unprocessableContent)
            throws -> Response
        {
            try page(visit, request, context, email: form["email"], FormProblem(text, at: field), status)
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
        let outcome = try await flow.signIn(
            email, password: Secret(password), for: visit.request?.id,
            by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .ended(let ended):
            var response = Self.response(ended, in: context.scope)
            if ended.challenge == nil {
                response.setCookie(
                    DeviceCookie.holding(devices.token(for: email, in: context.scope), of: context.scope))
            }
            return response
        case .refused(let refusal)
        where [.invalidCredentials, .userDeactivated, .rateLimited].contains(refusal.code):
            let isLimited = refusal.code == .rateLimited
            var response = try again(
                visits.pages.text(refusal, for: reader), at: isLimited ? nil : "password",
                isLimited ? .tooManyRequests : .unprocessableContent)
            for field in Problem(refusal).allHeaders where field.name != .contentType {
                response.headers.append(field)
            }
            return response
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// Sends the browser on: to its second factor, or signed in, to the client that waits, to what is still asked, or
    /// to the account.
    static func response(_ ended: SignInEnding.Ended, in scope: AppScope) -> Response {
        if let challenge = ended.challenge { return .toFactor(challenge, in: scope) }
        let pages = "/apps/\(scope.appID)"
        let own = ended.consent.map { "\(pages)/consent?request=\($0)" } ?? "\(pages)/account"
        var response = Response.seeOther(ended.answer?.location ?? ended.declined ?? own)
        if let session = ended.session { response.setCookie(HostedCookies.session(session, of: scope)) }
        if let device = ended.device { response.setCookie(DeviceCookie.holding(device, of: scope)) }
        return response
    }

    private func page(
        _ visit: PageVisitFlow.Visit, _ request: Request, _ context: AppRequestContext, email: String? = nil,
        _ problem: FormProblem? = nil, _ status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let reader = visits.reader(visit, request, context)
        let offersSignUp = context.scope.appID != .gatepost
        let page = SignInPage(
            email: email ?? visit.request?.loginHint ?? visit.session?.user.email, problem: problem,
            providers: visits.buttons(visit.providers, visit, reader, context), query: visits.query(visit),
            offersSignUp: offersSignUp, hasOtherWays: offersSignUp || !visit.providers.isEmpty,
            formTargets: visits.formTargets(visit))
        return try visits.pages.response(page, to: reader, status: status)
    }
}
