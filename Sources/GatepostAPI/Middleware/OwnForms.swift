import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// Takes a form only from a page of ours that was shown in the browser that sends it (OWASP ASVS 3.5.1); every page
/// that takes one is behind this.
///
/// Another site's form would sign its visitor in as somebody else, or out, or end their sessions. Three things have to
/// be so. `Sec-Fetch-Site`, or where a browser sends none `Origin`, does not name another site; a form of our own page
/// has the origin `null`, because its referrer policy is `no-referrer`, so that alone proves nothing. The browser has
/// its cookie, which `SameSite=Lax` keeps from other sites' forms. And the form carries what is derived from that: a
/// neighbouring host is the same site and gets the cookie sent along, but it cannot read it.
struct OwnForms: RouterMiddleware {
    typealias Context = RootRequestContext

    /// The name of the hidden field that every form of a page has.
    static let field = "form_token"

    /// Scheme, host and port of the base URL, as a browser's `Origin` states them.
    let ownOrigin: String

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        // An app that is not there, or suspended, is refused as such further in.
        guard request.method != .get, request.method != .head, let app = context.app, !app.isSuspended else {
            return try await next(request, context)
        }
        guard !isForeign(request) else { throw Problem(.foreignForm) }
        guard let browser = HostedCookies.tokens(in: request, of: app.scope).browser else {
            throw Problem(.foreignForm)
        }
        var request = request
        let bytes = try await request.collectBody(ofType: "application/x-www-form-urlencoded")
        guard let token = try FormBody(bytes)[Self.field],
            constantTimeEqual(Array(token.utf8), Array(browser.formToken.utf8))
        else { throw Problem(.foreignForm) }
        request.body = RequestBody(buffer: ByteBuffer(bytes: bytes))
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
