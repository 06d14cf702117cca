import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// What was just done to an account, as the address of its page says it: `?done=password`.
enum AccountNews: String {
    case password, email, linked, unlinked, ended
    case endedOthers = "ended-others"
    case consent
}

/// The account's page, which each form on it leads back to.
struct AccountShown: Sendable {
    let flow: AccountFlow
    let pages: Pages
    /// Whether this is a server without TLS, where providers are on the same machine.
    let isDevelopment: Bool

    /// The page; the sign-in page for whoever is not signed in.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - context: Its app.
    ///   - refusal: Why what was just tried was not done.
    /// - Returns: The page.
    /// - Throws: `PostgresError`.
    func response(
        _ request: Request, _ context: AppRequestContext, refusal: Refusal? = nil
    ) async throws -> Response {
        let tokens = HostedCookies.tokens(in: request, of: context.scope)
        guard let account = try await flow.account(by: tokens, in: context.scope) else { return .toSignIn(context) }
        let reader = pages.reader(of: request, context.app)
        let lines = lines(of: account, for: reader)
        let base = "/apps/\(context.scope.appID)/account"
        let page = AccountPage(
            base: base, signOut: "/apps/\(context.scope.appID)/sign-out", email: account.session.user.email,
            since: account.session.user.createdAt.dayText,
            sessions: lines.filter(\.isHere) + lines.filter { !$0.isHere }, hasOthers: lines.contains { !$0.isHere },
            hasPassword: account.hasPassword, hasFactor: account.hasFactor,
            identities: account.identities.map { AccountPage.Identity($0) },
            links: account.linkable.map { provider in
                AccountPage.Link(label: provider.label, action: "\(base)/providers/\(provider.name)/link")
            },
            consents: account.consents.map { consent in
                AccountPage.Consent(consent, told: pages.told(consent.scope, for: reader))
            },
            hasConsents: !account.consents.isEmpty,
            hasWays: !account.identities.isEmpty || !account.linkable.isEmpty,
            news: refusal == nil ? try news(request, reader) : nil,
            problem: refusal.map { FormProblem(pages.text($0, for: reader)) },
            formTargets: FormTargets.targets(of: nil, isDevelopment: isDevelopment))
        return try pages.response(
            page, to: reader, status: refusal.map { .init(code: $0.code.status) } ?? .ok)
    }

    private func lines(of account: AccountFlow.Account, for reader: PageReader) -> [AccountPage.Line] {
        account.sessions.map { session in
            AccountPage.Line(
                id: "\(session.id)", isHere: session.id == account.session.id,
                title: session.clientID.flatMap { account.clients[$0] } ?? pages.text("account_pages", for: reader),
                device: DeviceName(userAgent: session.userAgent).text ?? pages.text("account_device", for: reader),
                ip: session.ip, lastUsed: session.lastUsedAt.minuteText, lastUsedAt: "\(session.lastUsedAt)")
        }
    }

    private func news(_ request: Request, _ reader: PageReader) throws -> String? {
        guard let done = try request.queryForm()["done"].flatMap(AccountNews.init) else { return nil }
        return switch done {
        case .password: pages.text("account_done_password", for: reader)
        case .email: pages.text("account_done_email", for: reader)
        case .linked: pages.text("account_done_linked", for: reader)
        case .unlinked: pages.text("account_done_unlinked", for: reader)
        case .ended: pages.text("account_done_ended", for: reader)
        case .consent: pages.text("account_done_consent", for: reader)
        case .endedOthers: pages.text("account_done_ended_others", for: reader)
        }
    }
}

extension Response {
    /// Sends a browser to its account's page.
    static func toAccount(_ context: AppRequestContext, done: AccountNews? = nil) -> Response {
        .seeOther("/apps/\(context.scope.appID)/account\(done.map { "?done=\($0.rawValue)" } ?? "")")
    }

    /// Sends a browser in which nobody is signed in to the page where that is done.
    static func toSignIn(_ context: AppRequestContext) -> Response {
        .seeOther("/apps/\(context.scope.appID)/sign-in")
    }
}

extension Instant {
    /// `2026-11-23 09:30 UTC`, for people: a page without scripts does not know where they are.
    fileprivate var minuteText: String { "\(String(description.prefix(16)).replacing("T", with: " ")) UTC" }

    /// `2026-11-23`.
    var dayText: String { String(description.prefix(10)) }
}
