import GatepostModel
import GatepostStore
import Hummingbird

/// The cookie of a browser that has signed in before; it signs nobody in, see `DeviceToken`.
enum DeviceCookie {
    /// The cookie that a browser gets when it has signed in.
    static func holding(_ token: Secret, of scope: AppScope) -> Cookie {
        Cookie(
            name: name(scope), value: token.revealed, maxAge: Int(Lifetimes.knownDevice.wholeSeconds), path: "/",
            secure: true, httpOnly: true, sameSite: .lax)
    }

    /// What this browser holds; nil if it has none.
    static func token(in request: Request, of scope: AppScope) -> Secret? {
        request.cookies[name(scope)].map { Secret($0.value) }
    }

    private static func name(_ scope: AppScope) -> String { "__Host-gatepost-device-\(scope.appID)" }
}
