import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/apps/{app}/sign-in/factor`, `…/begin`, `…/enrol` and `…/finish`: the second step of a sign-in in a browser.
///
/// Which sign-in it is, the browser's cookie says, and no address does. Looking at a page changes nothing.
struct FactorPages: Sendable {
    let flow: FactorChallengeFlow
    let visits: PageVisits

    private var pages: Pages { visits.pages }

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("sign-in/factor", use: show)
            .post("sign-in/factor", use: verify)
            .post("sign-in/factor/begin", use: begin)
            .get("sign-in/factor/enrol", use: showEnrolment)
            .post("sign-in/factor/enrol", use: confirm)
            .post("sign-in/factor/finish", use: finish)
    }

    @Sendable func show(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await page(request, context, nil)
    }

    @Sendable func verify(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let (held, reader) = (try held(request, context), pages.reader(of: request, context.app))
        guard let code = form["code"] else {
            let problem = FormProblem(pages.text("factor_missing_code", for: reader), at: "code")
            throw ShownRefusal(code: .invalidRequest, page: try await page(request, context, problem))
        }
        let outcome = try await flow.verify(
            held, code: code, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .ended(let ended): return over(ended, context)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await page(request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal) where refusal.code == .rateLimited:
            return try await page(
                request, context, FormProblem(pages.text(refusal, for: reader)), limitedBy: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func begin(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let enrolment = try await flow.beginEnrolment(
            try held(request, context), in: context.scope, from: context.origin(of: request))
        switch enrolment {
        case .done: return .seeOther("/apps/\(context.scope.appID)/sign-in/factor/enrol")
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func showEnrolment(_ request: Request, context: AppRequestContext) async throws -> Response {
        try await enrolmentPage(request, context, nil)
    }

    @Sendable func confirm(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        let (held, reader) = (try held(request, context), pages.reader(of: request, context.app))
        guard let code = form["code"] else {
            let problem = FormProblem(pages.text("factor_missing_code", for: reader), at: "code")
            throw ShownRefusal(code: .invalidRequest, page: try await enrolmentPage(request, context, problem))
        }
        let enrolment = try await flow.confirmEnrolment(
            held, code: code, in: context.scope, from: context.origin(of: request))
        switch enrolment {
        case .done(let codes): return try await goOn(codes.map(\.shown.revealed), held, request, context)
        case .refused(let refusal) where refusal.code == .invalidCode:
            return try await enrolmentPage(
                request, context, FormProblem(pages.text(refusal, for: reader), at: "code"))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func finish(_ request: Request, context: AppRequestContext) async throws -> Response {
        _ = try await request.form()
        let outcome = try await flow.finish(
            try held(request, context), in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .ended(let ended): return over(ended, context)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func over(_ ended: SignInEnding.Ended, _ context: AppRequestContext) -> Response {
        var response = SignInPageRoutes.response(ended, in: context.scope)
        response.setCookie(FactorCookie.removing(of: context.scope))
        return response
    }

    private func held(_ request: Request, _ context: AppRequestContext) throws -> FactorChallengeFlow.Held {
        guard let held = FactorCookie.held(in: request, of: context.scope) else { throw Problem(.invalidFlow) }
        return held
    }

    /// The page that a sign-in waits on: the code, or the button that sets an authenticator up, or the way on.
    private func page(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?, limitedBy refusal: Refusal? = nil
    ) async throws -> Response {
        let held = try held(request, context)
        guard let challenge = try await flow.look(at: held, in: context.scope) else { throw Problem(.invalidFlow) }
        if challenge.enrolledAt != nil { return try await goOn([], held, request, context) }
        let reader = pages.reader(of: request, context.app)
        let signIn = Self.signIn(challenge, context)
        guard challenge.hasFactor else { return try pages.response(FactorBeginPage(signIn: signIn), to: reader) }
        let page = FactorCodePage(
            problem: problem, isRecovery: try request.queryForm()["recovery"] != nil, signIn: signIn,
            formTargets: targets(challenge))
        return try pages.formResponse(page, to: reader, limitedBy: refusal)
    }

    private func enrolmentPage(
        _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response {
        guard let waiting = try await flow.waiting(try held(request, context), in: context.scope) else {
            return .seeOther("/apps/\(context.scope.appID)/sign-in/factor")
        }
        return try pages.formResponse(
            FactorEnrolPage(waiting, problem: problem), to: pages.reader(of: request, context.app))
    }

    /// The recovery codes of an authenticator that was just set up, and the button that goes on; later only the button.
    private func goOn(
        _ codes: [String], _ held: FactorChallengeFlow.Held, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response {
        guard let challenge = try await flow.look(at: held, in: context.scope) else { throw Problem(.invalidFlow) }
        let page = RecoveryCodesPage(
            codes: codes, finish: "/apps/\(context.scope.appID)/sign-in/factor/finish",
            account: "/apps/\(context.scope.appID)/account",
            formTargets: targets(challenge))
        return try pages.response(page, to: pages.reader(of: request, context.app))
    }

    private static func signIn(_ challenge: FactorChallengeRecord, _ context: AppRequestContext) -> String {
        let path = "/apps/\(context.scope.appID)/sign-in"
        guard case .request(let request, _) = challenge.goal else { return path + "?again=1" }
        return path + "?request=\(request)"
    }

    private func targets(_ challenge: FactorChallengeRecord) -> [String] {
        FormTargets.targets(to: challenge.redirectURI, isDevelopment: visits.isDevelopment)
    }
}

extension Response {
    /// Sends a browser to the second step of its sign-in, with the cookie that says which one.
    static func toFactor(_ challenge: SignInEnding.Challenge, in scope: AppScope) -> Response {
        var response = Response.seeOther("/apps/\(scope.appID)/sign-in/factor")
        response.setCookie(FactorCookie.holding(challenge, of: scope))
        return response
    }
}
