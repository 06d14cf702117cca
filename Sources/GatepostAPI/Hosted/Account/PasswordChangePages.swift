import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/account/password`: another password, by the one that there is.
struct PasswordChangePages: Sendable {
    let account: AccountFlow
    let flow: PasswordChangeFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("account/password", use: show)
            .post("account/password", use: change)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        return try await page(session, request, context, nil)
    }

    @Sendable func change(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let reader = pages.reader(of: request, context.app)
        guard let current = form["current"] else {
            let problem = FormProblem(pages.text("field_missing_password", for: reader), at: "current")
            throw ShownRefusal(code: .invalidRequest, page: try await page(session, request, context, problem))
        }
        guard let new = form["password"] else {
            let problem = FormProblem(pages.text("field_missing_new_password", for: reader), at: "password")
            throw ShownRefusal(code: .invalidRequest, page: try await page(session, request, context, problem))
        }
        let refusal = try await flow.change(
            for: Asking(session), current: Secret(current), to: Secret(new), endsOthers: form["end_others"] != nil,
            in: context.scope, from: context.origin(of: request))
        switch refusal?.code {
        case nil: return .toAccount(context, done: .password)
        case .weakPassword:
            let problem = refusal.map { FormProblem(pages.text($0, for: reader), at: "password") }
            return try await page(session, request, context, problem)
        case .invalidCredentials:
            let problem = FormProblem(pages.text("field_wrong_password", for: reader), at: "current")
            return try await page(session, request, context, problem)
        case .rateLimited:
            let problem = refusal.map { FormProblem(pages.text($0, for: reader)) }
            return try await page(session, request, context, problem, limitedBy: refusal)
        default: throw refusal.map { Problem($0) } ?? Problem(.internalError)
        }
    }

    private func session(_ request: Request, _ context: AppRequestContext) async throws -> HostedSession? {
        try await account.session(by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope)
    }

    private func page(
        _ session: HostedSession, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?,
        limitedBy refusal: Refusal? = nil
    ) async throws -> Response {
        let page = PasswordChangePage(
            email: session.user.email, hasPassword: try await account.hasPassword(session.user.id, in: context.scope),
            problem: problem)
        return try pages.formResponse(page, to: pages.reader(of: request, context.app), limitedBy: refusal)
    }
}
