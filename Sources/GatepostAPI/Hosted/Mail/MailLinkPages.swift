import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// What the links in mails of sign-in, reset and change lead to: a part of `LinkRoutes`.
///
/// Opening a page changes nothing. Its form changes something only with what no scanner has: the cookie of the browser
/// that began, or a password that somebody types (decision 21).
struct MailLinkPages: Sendable {
    let signIn: EmailSignInFlow
    let reset: PasswordResetFlow
    let change: EmailChangeFlow
    let visit: PageVisitFlow
    let pages: Pages
    /// Whether this is a server without TLS, where clients are on the same machine.
    let isDevelopment: Bool

    /// The page of a link; nil for a link of another kind.
    func open(_ link: OneTimeToken, _ request: Request, _ context: AppRequestContext) async throws -> Response? {
        try await page(of: link, request, context, nil)
    }

    /// What became of a link's form; nil for a link of another kind.
    func submit(
        _ link: OneTimeToken, _ form: FormBody, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response? {
        let (scope, origin) = (context.scope, context.origin(of: request))
        let tokens = HostedCookies.tokens(in: request, of: scope)
        let reader = pages.reader(of: request, context.app)
        switch try await signIn.parts.kind(of: link, in: scope) {
        case .emailSignIn:
            guard case .standing(_, .here, _) = try await signIn.look(at: link, by: holders(request, scope), in: scope)
            else { return try await refused(link, request, context) }
            switch try await signIn.confirm(link, by: tokens, in: scope, from: origin) {
            case .ended(let ended): return SignInPageRoutes.response(ended, in: scope)
            case .refused(let refusal): return try await again(refusal, link, request, context)
            }
        case .emailChange:
            guard case .standing(_, .here) = try await change.look(at: link, by: holders(request, scope), in: scope),
                let browser = tokens.browser
            else { return try await refused(link, request, context) }
            switch try await change.confirm(link, heldBy: browser, in: scope, from: origin) {
            case .changed: return try pages.response(DonePage(template: "mail-change-done"), to: reader)
            case .refused(let refusal): return try await again(refusal, link, request, context)
            }
        case .passwordReset:
            guard let password = form["password"] else { throw try await missing(link, request, context) }
            switch try await reset.confirm(link, choosing: Secret(password), in: scope, from: origin) {
            case .changed: return try pages.response(DonePage(template: "mail-reset-done"), to: reader)
            case .refused(let refusal): return try await again(refusal, link, request, context)
            }
        case .emailChangeUndo:
            guard let password = form["password"] else { throw try await missing(link, request, context) }
            switch try await change.undo(link, choosing: Secret(password), in: scope, from: origin) {
            case .changed: return try pages.response(DonePage(template: "mail-undo-done"), to: reader)
            case .refused(let refusal): return try await again(refusal, link, request, context)
            }
        case .signUp, .adminInvitation, .auditExportDownload, nil: return nil
        }
    }

    private func holders(_ request: Request, _ scope: AppScope) -> LinkHolders {
        LinkHolders(
            browser: HostedCookies.tokens(in: request, of: scope).browser,
            starter: StarterCookie.token(in: request, of: scope))
    }

    private func missing(
        _ link: OneTimeToken, _ request: Request, _ context: AppRequestContext
    ) async throws -> ShownRefusal {
        let text = pages.text("field_missing_password", for: pages.reader(of: request, context.app))
        guard let page = try await page(of: link, request, context, FormProblem(text, at: "password")) else {
            throw Problem(.invalidLink)
        }
        return ShownRefusal(code: .invalidRequest, page: page)
    }

    /// A click that does nothing, since the link is over or was opened elsewhere: the page that says so.
    private func refused(
        _ link: OneTimeToken, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response? {
        guard let page = try await page(of: link, request, context, nil) else { return nil }
        throw ShownRefusal(code: .invalidLink, page: page)
    }

    private func again(
        _ refusal: Refusal, _ link: OneTimeToken, _ request: Request, _ context: AppRequestContext
    ) async throws -> Response? {
        switch refusal.code {
        case .invalidLink: return try await page(of: link, request, context, nil)
        case .weakPassword:
            let text = pages.text(refusal, for: pages.reader(of: request, context.app))
            return try await page(of: link, request, context, FormProblem(text, at: "password"))
        case .conflict:
            let text = pages.text("mail_address_taken", for: pages.reader(of: request, context.app))
            return try await page(of: link, request, context, FormProblem(text))
        default: throw Problem(refusal)
        }
    }

    /// The page of a link as it stands now.
    private func page(
        of link: OneTimeToken, _ request: Request, _ context: AppRequestContext, _ problem: FormProblem?
    ) async throws -> Response? {
        let scope = context.scope
        let holders = holders(request, scope)
        let reader = pages.reader(of: request, context.app)
        switch try await signIn.parts.kind(of: link, in: scope) {
        case .emailSignIn:
            guard case .standing(let email, let place, let id) = try await signIn.look(at: link, by: holders, in: scope)
            else { break }
            guard case .here = place else { return try elsewhere(reader) }
            let tokens = HostedCookies.tokens(in: request, of: scope)
            let waiting = try await visit.look(at: id, by: tokens, in: scope)?.request
            let page = ClickPage(
                template: "mail-link-sign-in", email: email,
                formTargets: FormTargets.targets(of: waiting, isDevelopment: isDevelopment))
            return try pages.response(page, to: reader)
        case .emailChange:
            guard case .standing(let email, let place) = try await change.look(at: link, by: holders, in: scope) else {
                break
            }
            guard case .here = place else { return try elsewhere(reader) }
            return try pages.response(ClickPage(template: "mail-link-change", email: email), to: reader)
        case .passwordReset:
            guard case .standing(let email) = try await reset.look(at: link, in: scope) else { break }
            return try pages.formResponse(
                EmailPage(template: "mail-link-reset", email: email, problem: problem), to: reader)
        case .emailChangeUndo:
            guard case .standing(let email) = try await change.look(atUndoing: link, in: scope) else { break }
            return try pages.formResponse(
                EmailPage(template: "mail-link-undo", email: email, problem: problem), to: reader)
        case .signUp, .adminInvitation, .auditExportDownload, nil: return nil
        }
        return try pages.response(PlainPage(template: "mail-link-gone"), to: reader, status: .gone)
    }

    /// Tells where the code of the same mail is to be typed; its form would change nothing, so it has none.
    private func elsewhere(_ reader: PageReader) throws -> Response {
        try pages.response(PlainPage(template: "mail-link-elsewhere"), to: reader)
    }
}
