import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/oauth/authorize`: where a client sends a browser to be signed in (RFC 6749, 3.1).
struct AuthorizeRoutes: Sendable {
    let flow: AuthorizeFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("oauth/authorize", use: authorize)
            .post("oauth/authorize", use: continueByGet)
    }

    @Sendable func authorize(_ request: Request, context: AppRequestContext) async throws -> Response {
        // Whoever only looks asks for nothing.
        guard request.method != .head else { return Response(status: .ok) }
        let asked = AuthorizationParameters(try FormBody.pairs(of: Array((request.uri.query ?? "").utf8)))
        let scope = context.scope
        let outcome = try await flow.begin(
            asked, locale: pages.texts.languages.language(forUILocales:),
            by: HostedCookies.tokens(in: request, of: scope), in: scope, from: context.origin(of: request))
        switch outcome {
        case .begun(let id, let holder):
            var response = Response.seeOther("/apps/\(scope.appID)/sign-in?request=\(id)")
            response.setCookie(HostedCookies.browser(holder, of: scope))
            return response
        case .consentNeeded(let id, let holder):
            var response = Response.seeOther("/apps/\(scope.appID)/consent?request=\(id)")
            response.setCookie(HostedCookies.browser(holder, of: scope))
            return response
        case .answered(let answer): return .seeOther(answer.location)
        case .challenged(let challenge, let holder):
            var response = Response.toFactor(challenge, in: scope)
            response.setCookie(HostedCookies.browser(holder, of: scope))
            return response
        case .sentBack(let location): return .seeOther(location)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    /// Has a browser that was sent here by a form come again by GET, as a redirect of ours.
    ///
    /// A form from the client's site brings no `Lax` cookies along, so nobody would be known here; the redirect does.
    /// The form's bytes become the query as they are.
    @Sendable func continueByGet(_ request: Request, context: AppRequestContext) async throws -> Response {
        .seeOther("/apps/\(context.scope.appID)/oauth/authorize?\(try await request.formAsQuery())")
    }
}

extension Request {
    /// A form's bytes as they are, to stand in the query of an address; throws a `Problem` for what may not.
    func formAsQuery() async throws -> String {
        let bytes = try await collectBody(ofType: "application/x-www-form-urlencoded")
        guard bytes.count <= ServerLimits.headerFieldBytesMax / 2 else { throw Problem(.bodyTooLarge) }
        guard bytes.allSatisfy(Self.mayStandInQuery) else { throw Problem(.brokenForm) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 3986, section 3.4.
    private static func mayStandInQuery(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~%!$&'()*+,;=:@/?".utf8.contains(byte)
        }
    }
}

extension Response {
    /// Sends a browser on by GET, whatever it came by (303, RFC 9700, section 4.12): no form is sent along.
    static func seeOther(_ location: String) -> Response {
        Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
    }
}
