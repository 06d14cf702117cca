import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/account/email` and `…/account/email/code`: another address, proved by the mail that goes
/// there.
struct EmailChangePages: Sendable {
    let account: AccountFlow
    let flow: EmailChangeFlow
    let visits: PageVisits

    private var pages: Pages { visits.pages }

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("account/email", use: show)
            .post("account/email", use: start)
            .get("account/email/code", use: showCode)
            .post("account/email/code", use: verify)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        return try await page(session, request, context, nil)
    }

    @Sendable func start(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let reader = pages.reader(of: request, context.app)
        func again(_ text: String, at field: String?, _ refusal: Refusal? = nil) async throws -> Response {
            try await page(
                session, request, context, FormProblem(text, at: field), typed: form["email"], limitedBy: refusal)
        }
        guard let text = form["email"] else {
            let page = try await again(pages.text("field_missing_email", for: reader), at: "email")
            throw ShownRefusal(code: .invalidRequest, page: page)
        }
        guard let email = EmailAddress(text) else {
            let page = try await again(pages.text(.invalidEmailAddress, for: reader), at: "email")
            throw ShownRefusal(code: .invalidEmailAddress, page: page)
        }
        let browser = visits.browser(request, context)
        let start = try await flow.start(
            for: Asking(session), to: email, password: form["password"].map { Secret($0) }, by: browser,
            locale: reader.language, in: context.scope, from: context.origin(of: request))
        switch start {
        case .started(let started):
            var response = Response.seeOther("/apps/\(context.scope.appID)/account/email/code?flow=\(started.flow)")
            response.setCookie(HostedCookies.browser(browser, of: context.scope))
            return response
        case .refused(let refusal):
            switch refusal.code {
            case .conflict: return try await again(pages.text(refusal, for: reader), at: "email")
            case .invalidCredentials:
                let text =
                    form["password"] == nil
                    ? pages.text("field_missing_password", for: reader)
                    : pages.text("field_wrong_password", for: reader)
                return try await again(text, at: "password")
            case .rateLimited: return try await again(pages.text(refusal, for: reader), at: nil, refusal)
            case .recentSignInRequired: return try pages.signInAgain(reader, context)
            default: throw Problem(refusal)
            }
        }
    }

    @Sendable func showCode(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await codePage(request, context, nil)
    }

    @Sendable func verify(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let (id, reader) = (try request.flow(), pages.reader(of: request, context.app))
        guard let code = form["code"] else {
            let problem = FormProblem(pages.text("field_missing_code", for: reader), at: "code")
            throw ShownRefusal(code: .invalidRequest, page: try await codePage(request, context, problem))
        }
        guard let browser = HostedCookies.tokens(in: request, of: context.scope).browser else {
            throw Problem(.invalidFlow)
        }
        let outcome = try await flow.verify(
            id, heldBy: browser, code: code, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .changed: return .toAccount(context, done: .email)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await codePage(request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func session(_ request: Request, _ context: AppRequestContext) async throws -> HostedSession? {
        try await account.session(by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope)
    }

    private func page(
        _ session: HostedSession, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?,
        typed: String? = nil, limitedBy refusal: Refusal? = nil
    ) async throws -> Response {
        let page = EmailChangePage(
            current: session.user.email, email: typed,
            hasPassword: try await account.hasPassword(session.user.id, in: context.scope), problem: problem)
        return try pages.formResponse(page, to: pages.reader(of: request, context.app), limitedBy: refusal)
    }

    private func codePage(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response {
        let id = try request.flow()
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        let email = try await flow.address(of: id, heldBy: tokens.browser, in: context.scope)
        guard let email else { throw Problem(.invalidFlow) }
        let page = CodePage(template: "email-change-code", email: email, problem: problem, query: "")
        return try pages.formResponse(page, to: pages.reader(of: request, context.app))
    }
}

extension Pages {
    /// Asks somebody who is signed in, but not since a moment ago, to sign in once more.
    func signInAgain(_ reader: PageReader, _ context: AppRequestContext) throws -> Response {
        try response(SignInAgainPage(base: "/apps/\(context.scope.appID)"), to: reader, status: .forbidden)
    }
}
