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
    let invitations: AdminInvitationFlow
    let pages: Pages
    /// Scheme, host and port of the base URL, as a browser's `Origin` states them.
    let ownOrigin: String

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get(use: open)
            .post(use: submit)
    }

    @Sendable func open(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let link = Self.link(context) else { return try gone(context) }
        if let answer = try await exports.open(link, context) { return answer }
        return try await page(for: link, request, context)
    }

    @Sendable func submit(_ request: Request, context: AppRequestContext) async throws -> Response {
        try refuseOtherSites(request)
        let form = try await request.form()
        guard let link = Self.link(context) else { throw Problem(.invalidLink) }
        if let answer = try await exports.submit(link, request, context) { return answer }
        let origin = context.origin(of: request)
        if case .invitation = try await flow.look(at: link, startedBy: nil, in: context.scope) {
            return try await accept(link, form, request, context)
        }
        let outcome: VerificationFlow.Outcome
        if let password = form["password"] {
            outcome = try await flow.confirm(link, choosing: Secret(password), in: context.scope, from: origin)
        } else if let token = StarterCookie.token(in: request, of: context.scope) {
            outcome = try await flow.confirm(link, startedBy: token, in: context.scope, from: origin)
        } else {
            throw Problem(.invalidRequest, detail: "password is missing.")
        }
        switch outcome {
        case .verified:
            var response = try pages.response(.linkDone(app: context.app.name))
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

    /// Accepts an invitation.
    private func accept(
        _ link: OneTimeToken, _ form: FormBody, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response {
        let outcome = try await invitations.accept(
            link, choosing: form["password"].map { Secret($0) }, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .joined: return try pages.response(.invitationDone(app: context.app.name))
        case .refused(let refusal) where refusal.code == .invalidLink: return try gone(context)
        case .refused(let refusal) where refusal.code == .weakPassword:
            return try await page(for: link, request, context, refusal: refusal)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// The page of a link as it stands now.
    private func page(
        for link: OneTimeToken, _ request: Request, _ context: AppRequestContext, refusal: Refusal? = nil
    ) async throws -> Response {
        let starter = StarterCookie.token(in: request, of: context.scope)
        let app = context.app.name
        switch try await flow.look(at: link, startedBy: starter, in: context.scope) {
        case .standing(let email, let isStarter) where isStarter && refusal == nil:
            return try pages.response(.confirm(app: app, email: email))
        case .standing(let email, _):
            return try pages.response(
                .choosePassword(app: app, email: email, problem: refusal.map { $0.detail ?? $0.code.title }),
                status: refusal == nil ? .ok : .unprocessableContent)
        case .invitation(let invitation, let name):
            let offer = Page.Invitation(
                email: invitation.email, role: invitation.grant.role.rawValue, place: name ?? "all apps",
                asksForPassword: !invitation.hasPassword)
            return try pages.response(
                .invitation(app: app, offer, problem: refusal.map { $0.detail ?? $0.code.title }),
                status: refusal == nil ? .ok : .unprocessableContent)
        case .gone:
            return try gone(context)
        }
    }

    private func gone(_ context: AppRequestContext) throws -> Response {
        try pages.response(.linkGone(app: context.app.name), status: .gone)
    }

    private static func link(_ context: AppRequestContext) -> OneTimeToken? {
        context.parameters.get("token").flatMap { OneTimeToken(.link, presented: $0) }
    }

    /// Refuses a form that another site sent (OWASP ASVS 3.5.1).
    ///
    /// `Sec-Fetch-Site` decides where a browser sends it. `Origin` comes second: a form of our own page has the
    /// origin `null`, because its referrer policy is `no-referrer`. A caller that sends neither is no current
    /// browser; what it could gain is little, since the cookie is not sent along from other sites and the link's
    /// token is needed in any case.
    private func refuseOtherSites(_ request: Request) throws {
        let foreign =
            if let site = request.headers.first(where: { $0.name.canonicalName == "sec-fetch-site" })?.value {
                site != "same-origin" && site != "none"
            } else if let origin = request.headers[.origin] {
                origin != "null" && origin != ownOrigin
            } else {
                false
            }
        if foreign { throw Problem(.invalidRequest, detail: "The form was sent from another site.") }
    }
}
