import GatepostModel
import HTTPTypes
import Hummingbird

/// Refuses a form of our pages that another site sent (OWASP ASVS 3.5.1); every page that takes one is behind this.
///
/// `Sec-Fetch-Site` decides where a browser sends it. `Origin` comes second: a form of our own page has the origin
/// `null`, because its referrer policy is `no-referrer`. A caller that sends neither is no current browser; what it
/// could gain is little, since cookies are not sent along from other sites.
struct OwnForms: RouterMiddleware {
    typealias Context = RootRequestContext

    /// Scheme, host and port of the base URL, as a browser's `Origin` states them.
    let ownOrigin: String

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        if request.method != .get, request.method != .head, isForeign(request) {
            throw Problem(.foreignForm)
        }
        return try await next(request, context)
    }

    private func isForeign(_ request: Request) -> Bool {
        if let site = request.headers.first(where: { $0.name.canonicalName == "sec-fetch-site" })?.value {
            return site != "same-origin" && site != "none"
        }
        if let origin = request.headers[.origin] { return origin != "null" && origin != ownOrigin }
        return false
    }
}
