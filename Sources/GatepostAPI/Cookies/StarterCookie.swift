import GatepostModel
import GatepostStore
import Hummingbird

/// The cookie that binds a flow to the browser that began it: it holds the flow's token.
///
/// `__Host-`, so that no neighbouring host can set it; `Lax`, so that it comes along when the mail's link is
/// opened but not when another site posts.
enum StarterCookie {
    /// The cookie that a browser gets when it begins a flow; it lives as long as a flow does.
    static func holding(_ token: OneTimeToken, of scope: AppScope) -> Cookie {
        cookie(scope, value: token.secret.revealed, maxAge: Int(Lifetimes.verification.wholeSeconds))
    }

    /// The cookie that removes it, once the flow has passed.
    static func removing(of scope: AppScope) -> Cookie {
        cookie(scope, value: "", maxAge: 0)
    }

    /// The flow token that this browser holds; nil if it has none.
    static func token(in request: Request, of scope: AppScope) -> OneTimeToken? {
        request.cookies[name(scope)].flatMap { OneTimeToken(.flow, presented: $0.value) }
    }

    private static func name(_ scope: AppScope) -> String { "__Host-gatepost-\(scope.appID)" }

    private static func cookie(_ scope: AppScope, value: String, maxAge: Int) -> Cookie {
        Cookie(
            name: name(scope), value: value, maxAge: maxAge, path: "/", secure: true, httpOnly: true, sameSite: .lax)
    }
}
