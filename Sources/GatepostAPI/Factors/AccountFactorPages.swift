import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/account/factor`, and the forms of its page: the second factor of whoever is signed in.
struct AccountFactorPages: Sendable {
    let account: AccountFlow
    let flow: FactorFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("account/factor", use: show)
            .post("account/factor", use: begin)
            .get("account/factor/enrol", use: showEnrolment)
            .post("account/factor/enrol", use: confirm)
            .post("account/factor/remove", use: remove)
            .post("account/factor/recovery-codes", use: replaceRecoveryCodes)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        return try await page(session, request, context, nil)
    }

    @Sendable func begin(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let outcome = try await flow.begin(
            for: Asking(session), Self.proof(form), in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .done: return .seeOther("/apps/\(context.scope.appID)/account/factor/enrol")
        case .refused(let refusal): return try await refused(refusal, form, session, request, context)
        }
    }

    @Sendable func showEnrolment(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        return try await enrolmentPage(session, request, context, nil)
    }

    @Sendable func confirm(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let reader = pages.reader(of: request, context.app)
        guard let code = form["code"] else {
            let problem = FormProblem(pages.text("factor_missing_code", for: reader), at: "code")
            throw ShownRefusal(
                code: .invalidRequest, page: try await enrolmentPage(session, request, context, problem))
        }
        let outcome = try await flow.confirm(
            for: Asking(session), code: code, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .done(let codes): return try codesPage(codes, reader, context)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await enrolmentPage(
                session, request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func remove(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let refusal = try await flow.remove(
            for: Asking(session), Self.proof(form), in: context.scope, from: context.origin(of: request))
        guard let refusal else { return .seeOther("/apps/\(context.scope.appID)/account/factor?done=removed") }
        return try await refused(refusal, form, session, request, context)
    }

    @Sendable func replaceRecoveryCodes(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let session = try await session(request, context) else { return .toSignIn(context) }
        let outcome = try await flow.replaceRecoveryCodes(
            for: Asking(session), Self.proof(form), in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .done(let codes): return try codesPage(codes, pages.reader(of: request, context.app), context)
        case .refused(let refusal): return try await refused(refusal, form, session, request, context)
        }
    }

    private static func proof(_ form: FormBody) -> FactorFlow.Proof {
        .init(password: form["password"].map { Secret($0) }, code: form["code"])
    }

    private func session(_ request: Request, _ context: AppRequestContext) async throws -> HostedSession? {
        try await account.session(by: HostedCookies.tokens(in: request, of: context.scope), in: context.scope)
    }

    /// The page once more, with what was wrong.
    private func refused(
        _ refusal: Refusal, _ form: FormBody, _ session: HostedSession, _ request: Request,
        _ context: AppRequestContext
    ) async throws -> Response {
        let reader = pages.reader(of: request, context.app)
        switch refusal.code {
        case .invalidCredentials:
            let name = form["password"] == nil ? "field_missing_password" : "field_wrong_password"
            return try await page(
                session, request, context, FormProblem(pages.text(name, for: reader), at: "password"))
        case .invalidCode:
            let text =
                form["code"] == nil
                ? pages.text("factor_missing_code", for: reader) : pages.text(refusal, for: reader)
            return try await page(session, request, context, FormProblem(text, at: "code"))
        case .conflict: return try await page(session, request, context, FormProblem(pages.text(refusal, for: reader)))
        case .rateLimited:
            return try await page(
                session, request, context, FormProblem(pages.text(refusal, for: reader)), limitedBy: refusal)
        case .recentSignInRequired: return try pages.signInAgain(reader, context)
        default: throw Problem(refusal)
        }
    }

    private func page(
        _ session: HostedSession, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?,
        limitedBy refusal: Refusal? = nil
    ) async throws -> Response {
        let reader = pages.reader(of: request, context.app)
        let state = try await flow.state(of: session.user.id, in: context.scope)
        let isRemoved = try request.queryForm()["done"] == "removed" && problem == nil
        let page = AccountFactorPage(
            problem: problem, isOn: state.factor != nil, since: state.factor?.confirmedAt?.dayText,
            recoveryCodeCount: "\(state.recoveryCodeCount)", isRequired: state.isRequired,
            hasPassword: state.hasPassword, news: isRemoved ? pages.text("factor_done_removed", for: reader) : nil,
            base: "/apps/\(context.scope.appID)/account/factor")
        return try pages.formResponse(page, to: reader, limitedBy: refusal)
    }

    private func enrolmentPage(
        _ session: HostedSession, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response {
        let base = "/apps/\(context.scope.appID)/account/factor"
        guard let waiting = try await flow.waiting(for: Asking(session), in: context.scope) else {
            return .seeOther(base)
        }
        return try pages.formResponse(
            FactorEnrolPage(waiting, problem: problem, back: base), to: pages.reader(of: request, context.app))
    }

    private func codesPage(
        _ codes: [RecoveryCode], _ reader: PageReader, _ context: AppRequestContext
    ) throws -> Response {
        let page = RecoveryCodesPage(
            codes: codes.map(\.shown.revealed), finish: nil, account: "/apps/\(context.scope.appID)/account")
        return try pages.response(page, to: reader)
    }
}
