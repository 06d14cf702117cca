import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/links/{token}`: the page that a mail's link opens, and its form.
///
/// Opening the page changes nothing, because mail scanners open links; only the form does. What a link leads to is
/// said by the kind of its flow.
struct LinkRoutes: Sendable {
    let flow: VerificationFlow
    let exports: AuditExportLinks
    let mails: MailLinkPages
    let invitations: AdminInvitationFlow
    let visits: PageVisits
    var pages: Pages { visits.pages }

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("links/{token}", use: open)
            .post("links/{token}", use: submit)
    }

    @Sendable func open(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let link = Self.link(context) else { return try gone(request, context) }
        if let answer = try await exports.open(link, request, context) { return answer }
        if let answer = try await mails.open(link, request, context) { return answer }
        return try await page(for: link, request, context)
    }

    @Sendable func submit(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.form()
        guard let link = Self.link(context) else { throw Problem(.invalidLink) }
        if let answer = try await exports.submit(link, request, context) { return answer }
        if let answer = try await mails.submit(link, form, request, context) { return answer }
        let origin = context.origin(of: request)
        if case .invitation = try await flow.look(at: link, startedBy: nil, in: context.scope) {
            return try await accept(link, form, request, context)
        }
        if form["password"] == nil, let response = try await signIn(by: link, request, context) { return response }
        let outcome: VerificationFlow.Outcome
        if let password = form["password"] {
            outcome = try await flow.confirm(link, choosing: Secret(password), in: context.scope, from: origin)
        } else if let token = StarterCookie.token(in: request, of: context.scope) {
            outcome = try await flow.confirm(link, startedBy: token, in: context.scope, from: origin)
        } else {
            if case .gone = try await look(at: link, request, context) {
                throw ShownRefusal(code: .invalidLink, page: try gone(request, context))
            }
            throw Problem(.invalidRequest, detail: "password is missing.")
        }
        switch outcome {
        case .verified:
            var response = try pages.response(PlainPage.linkDone, to: pages.reader(of: request, context.app))
            response.setCookie(StarterCookie.removing(of: context.scope))
            return response
        case .refused(let refusal) where refusal.code == .invalidLink:
            return try await page(for: link, request, context)
        case .refused(let refusal) where refusal.code == .weakPassword:
            return try await page(for: link, request, context, refusal: refusal)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    /// Finishes a sign-up in the browser that began it on a page, and signs its user in; nil for any other link.
    private func signIn(
        by link: OneTimeToken, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response? {
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard
            case .standing(_, isStarter: true) = try await flow.look(
                at: link, startedBy: tokens.browser, in: context.scope)
        else { return nil }
        let origin = context.origin(of: request)
        switch try await flow.confirm(link, by: tokens, in: context.scope, from: origin) {
        case .verified(let ended?): return SignInPageRoutes.response(ended, in: context.scope)
        case .verified(nil):
            return try pages.response(PlainPage.linkDone, to: pages.reader(of: request, context.app))
        case .refused(let refusal) where refusal.code == .invalidLink:
            return try await page(for: link, request, context)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// Accepts an invitation.
    private func accept(
        _ link: OneTimeToken, _ form: FormBody, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response {
        let outcome = try await invitations.accept(
            link, choosing: form["password"].map { Secret($0) }, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .joined:
            return try pages.response(PlainPage.invitationDone, to: pages.reader(of: request, context.app))
        case .refused(let refusal) where refusal.code == .invalidLink: return try gone(request, context)
        case .refused(let refusal) where refusal.code == .weakPassword:
            return try await page(for: link, request, context, refusal: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// The page of a link as it stands now.
    private func page(
        for link: OneTimeToken, _ request: Request, _ context: AppRequestContext, refusal: Refusal? = nil
    ) async throws -> Response {
        let reader = pages.reader(of: request, context.app)
        let problem = refusal.map { FormProblem(pages.text($0, for: reader), at: "password") }
        let status: HTTPResponse.Status = problem == nil ? .ok : .unprocessableContent
        switch try await look(at: link, request, context) {
        case .standing(let email, let isStarter) where isStarter && refusal == nil:
            let tokens = HostedCookies.tokens(in: request, of: context.scope)
            let waiting = try await visits.flow.latest(by: tokens, in: context.scope)
            let targets = FormTargets.targets(of: waiting, isDevelopment: visits.isDevelopment)
            return try pages.response(ConfirmPage(email: email, formTargets: targets), to: reader)
        case .standing(let email, _):
            return try pages.response(
                ChoosePasswordPage(email: email, problem: problem), to: reader, status: status)
        case .invitation(let invitation, let name):
            let offer = InvitationPage(
                email: invitation.email, role: invitation.grant.role.rawValue,
                place: name ?? pages.text("invitation_all_apps", for: reader),
                asksForPassword: !invitation.hasPassword, problem: problem)
            return try pages.response(offer, to: reader, status: status)
        case .gone:
            return try gone(request, context)
        }
    }

    /// What a link leads to; the browser that began it is known by either of its cookies.
    private func look(
        at link: OneTimeToken, _ request: Request, _ context: AppRequestContext
    ) async throws -> VerificationFlow.LinkState {
        let byPage = HostedCookies.tokens(in: request, of: context.scope).browser
        let state = try await flow.look(at: link, startedBy: byPage, in: context.scope)
        guard case .standing(_, isStarter: false) = state,
            let byAPI = StarterCookie.token(in: request, of: context.scope)
        else { return state }
        return try await flow.look(at: link, startedBy: byAPI, in: context.scope)
    }

    private func gone(_ request: Request, _ context: AppRequestContext) throws -> Response {
        try pages.response(PlainPage.linkGone, to: pages.reader(of: request, context.app), status: .gone)
    }

    private static func link(_ context: AppRequestContext) -> OneTimeToken? {
        context.parameters.get("token").flatMap { OneTimeToken(.link, presented: $0) }
    }
}
