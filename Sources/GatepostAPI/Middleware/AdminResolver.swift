import GatepostFlows
import GatepostModel
import HTTPTypes
import Hummingbird

/// Reads who asks the admin API, by access token or API key (RFC 6750), into the context.
struct AdminResolver: RouterMiddleware {
    typealias Context = RootRequestContext

    let flow: AdminAccessFlow

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        switch try await flow.principal(presenting: try request.bearerToken()) {
        case .known(let principal):
            var context = context
            context.admin = principal
            return try await next(request, context)
        case .refused(let refusal):
            throw Problem(refusal.code, detail: refusal.detail)
        }
    }
}

extension Request {
    /// The token of the one `Authorization` field; the scheme's case does not count (RFC 9110, section 11.1).
    ///
    /// Throws a `Problem` where there is none.
    func bearerToken() throws -> String {
        let values = headers[values: .authorization]
        guard values.count == 1, let value = values.first, value.prefix(7).lowercased() == "bearer " else {
            var problem = Problem(.invalidAccessToken, detail: "The request has no bearer token.")
            // RFC 6750, section 3.1: no error code where no token was presented.
            problem.headers[.wwwAuthenticate] = #"Bearer realm="gatepost""#
            throw problem
        }
        return String(value.dropFirst(7))
    }
}
