import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /apps/{app}/providers/{name}/start`: the button that leads to an identity provider, for a client that waits or
/// for the account's own pages.
struct ProviderStartRoutes: Sendable {
    let flow: ProviderSignInFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("start", use: start)
            .post("start", use: start)
    }

    /// Sends the browser to the provider; nothing that is there is used up.
    @Sendable func start(_ request: Request, context: AppRequestContext) async throws -> Response {
        // Whoever only looks begins nothing.
        guard request.method != .head else { return Response(status: .ok) }
        let waiting = try request.authorizationRequest()
        let start = try await flow.start(
            try context.providerName, for: waiting.map { .request($0) } ?? .account,
            by: HostedCookies.tokens(in: request, of: context.scope),
            in: context.scope, from: context.origin(of: request))
        switch start {
        case .sent(let location, let holder):
            var response = Response.seeOther(location)
            response.setCookie(HostedCookies.browser(holder, of: context.scope))
            return response
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

/// `GET` and `POST /apps/{app}/providers/{name}/callback`: where a provider sends the browser back.
struct ProviderCallbackRoutes: Sendable {
    /// The parameters that are read; a provider may send others (RFC 6749, section 4.1.2).
    private static let read = ["state", "code", "error", "iss"]
    /// The longest value of one, in bytes.
    private static let valueBytesMax = 4096

    let flow: ProviderSignInFlow
    let pages: Pages

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("callback", use: take)
            .post("callback", use: continueByGet)
    }

    /// Takes the answer, in the browser that was sent.
    @Sendable func take(_ request: Request, context: AppRequestContext) async throws -> Response {
        // Whoever only looks takes nothing.
        guard request.method != .head else { return Response(status: .ok) }
        let parameters = try Self.parameters(Array((request.uri.query ?? "").utf8))
        let scope = context.scope
        let outcome = try await flow.take(
            .init(
                state: parameters["state"], code: parameters["code"], error: parameters["error"],
                issuer: parameters["iss"]),
            from: try context.providerName, by: HostedCookies.tokens(in: request, of: scope), in: scope,
            from: context.origin(of: request))
        switch outcome {
        case .ended(let ended): return SignInPageRoutes.response(ended, in: scope)
        case .linked: return .toAccount(context, done: .linked)
        case .sentBack(let location): return .seeOther(location)
        case .accountNeeded(let waiting, let claim):
            let reader = pages.reader(of: request, context.app)
            let query = waiting.map { "?request=\($0)" } ?? ""
            return try pages.response(ProviderLinkPage(claim, query: query, app: scope.appID), to: reader)
        case .refused(let refusal, let purpose):
            guard let purpose else { throw Problem(refusal) }
            let reader = pages.reader(of: request, context.app)
            let page = ProviderFailedPage(problem: pages.text(refusal, for: reader), of: purpose, app: scope.appID)
            return try pages.response(page, to: reader, status: .init(code: refusal.code.status))
        }
    }

    /// Has a browser that a provider sent by a form come again by GET, as a redirect of ours.
    ///
    /// A form from the provider's site (Apple's `form_post`) brings no `Lax` cookies along, and without them nobody can
    /// tell whose answer it is. The redirect to our own address does, without a script. Nothing is used up before.
    @Sendable func continueByGet(_ request: Request, context: AppRequestContext) async throws -> Response {
        let bytes = try await request.collectBody(ofType: "application/x-www-form-urlencoded")
        let parameters = try Self.parameters(bytes)
        let pairs = Self.read.compactMap { name in parameters[name].map { "\(name)=\(Self.encoded($0))" } }
        let path = "/apps/\(context.scope.appID)/providers/\(try context.providerName)/callback"
        return .seeOther(path + "?" + pairs.joined(separator: "&"))
    }

    private static func parameters(_ bytes: [UInt8]) throws -> [String: String] {
        let form = try FormBody(bytes)
        return try read.reduce(into: [:]) { parameters, name in
            guard let value = form[name] else { return }
            guard value.utf8.count <= valueBytesMax else { throw Problem(.invalidProviderAnswer) }
            parameters[name] = value
        }
    }

    private static func encoded(_ value: String) -> String {
        value.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

extension AppRequestContext {
    /// The provider that the path names; throws 404 for what is no name.
    var providerName: ProviderName {
        get throws {
            guard let name = parameters.get("name").flatMap({ ProviderName($0) }) else {
                throw Problem(.unknownProvider)
            }
            return name
        }
    }
}
