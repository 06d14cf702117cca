import GatepostFlows
import GatepostModel
import HTTPTypes
import Hummingbird

/// Reads the session that a bearer token (RFC 6750) belongs to into the context.
struct SessionResolver: RouterMiddleware {
    typealias Context = AppRequestContext

    let flow: SessionFlow

    func handle(
        _ request: Request, context: AppRequestContext,
        next: (Request, AppRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let token = Self.bearerToken(request) else {
            var problem = Problem(.invalidAccessToken, detail: "The request has no bearer token.")
            // RFC 6750, section 3.1: no error code where no token was presented.
            problem.headers[.wwwAuthenticate] = #"Bearer realm="gatepost""#
            throw problem
        }
        switch try await flow.session(ofAccessToken: token, in: context.scope) {
        case .live(let session):
            var context = context
            context.session = session
            return try await next(request, context)
        case .refused(let refusal):
            throw Problem(refusal.code, detail: refusal.detail)
        }
    }

    /// The token of the one `Authorization` field; the scheme's case does not count (RFC 9110, section 11.1).
    private static func bearerToken(_ request: Request) -> String? {
        let values = request.headers[values: .authorization]
        guard values.count == 1, let value = values.first, value.prefix(7).lowercased() == "bearer " else { return nil }
        return String(value.dropFirst(7))
    }
}
