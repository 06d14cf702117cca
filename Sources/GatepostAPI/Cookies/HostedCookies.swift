import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// The cookies of a browser on an app's pages: which browser it is, and who is signed in there.
///
/// `__Host-`, so that no neighbouring host can set one; `HttpOnly`, since no script of ours wants them; `Lax`, so that
/// they come along when a client or a mail leads here, but not when another site posts (OWASP ASVS 3.3).
enum HostedCookies {
    /// What a browser holds of an app.
    static func tokens(in request: Request, of scope: AppScope) -> BrowserTokens {
        BrowserTokens(
            browser: request.cookies[browserName(scope)].flatMap { OneTimeToken(.browser, presented: $0.value) },
            session: request.cookies[sessionName(scope)].flatMap { OneTimeToken(.hostedSession, presented: $0.value) })
    }

    /// The cookie that tells a browser from others, for as long as it is used.
    static func browser(_ token: OneTimeToken, of scope: AppScope) -> Cookie {
        cookie(browserName(scope), token.secret.revealed, life: Lifetimes.browserCookie)
    }

    /// The cookie of a browser in which somebody is signed in.
    static func session(_ token: OneTimeToken, of scope: AppScope) -> Cookie {
        cookie(sessionName(scope), token.secret.revealed, life: scope.hostedSessionLife)
    }

    /// The cookie that removes the one of a session that is over.
    static func removingSession(of scope: AppScope) -> Cookie {
        cookie(sessionName(scope), "", life: .zero)
    }

    private static func browserName(_ scope: AppScope) -> String { "__Host-gatepost-browser-\(scope.appID)" }

    private static func sessionName(_ scope: AppScope) -> String { "__Host-gatepost-session-\(scope.appID)" }

    private static func cookie(_ name: String, _ value: String, life: Duration) -> Cookie {
        Cookie(
            name: name, value: value, maxAge: Int(life.wholeSeconds), path: "/", secure: true, httpOnly: true,
            sameSite: .lax)
    }
}
