import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// Lets scripts of a registered origin read the answers of three endpoints (Fetch, section 3.3, CORS protocol).
///
/// Without credentials: no cookie counts there, and a script that holds a token says so itself. A question beforehand
/// (`OPTIONS`) names no client, so an origin of any client of the app is let ask; the answer itself is for an origin of
/// the client that the request turned out to be from.
struct CrossOrigin: RouterMiddleware {
    typealias Context = RootRequestContext

    /// The endpoints, as their routes are written.
    static let paths: Set<String> = Set(["token", "userinfo", "revoke"].map { "/apps/{app}/oauth/\($0)" })
    /// How long a browser may remember an answer to a question, in seconds.
    static let cacheSeconds = 600

    let database: Database

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let path = context.endpointPath, Self.paths.contains(path) else {
            return try await next(request, context)
        }
        let origins = request.headers[values: .origin]
        let isKnown =
            if origins.count == 1, let origin = origins.first { await isRegistered(origin, context) } else { false }
        var response =
            isKnown && request.method == .options && request.headers[.accessControlRequestMethod] != nil
            ? Self.permission : try await next(request, context)
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        let isClients = context.asking.webOrigins.map { all in origins.allSatisfy(all.contains) } ?? true
        if isKnown, isClients { response.headers[.accessControlAllowOrigin] = origins.first }
        return response
    }

    /// A database that is away lets nobody read; that it is, the answer itself says.
    private func isRegistered(_ origin: String, _ context: RootRequestContext) async -> Bool {
        guard let id = context.parameters.get("app", as: AppID.self), let text = WebOrigin(origin)?.text,
            let app = try? await database.app(id)
        else { return false }
        return (try? await database.batch(in: app.scope) { $0.hasWebOrigin(text) }) ?? false
    }

    private static var permission: Response {
        Response(
            status: .noContent,
            headers: HTTPFields(fixed: [
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type",
                "Access-Control-Max-Age": "\(cacheSeconds)",
            ]))
    }
}
