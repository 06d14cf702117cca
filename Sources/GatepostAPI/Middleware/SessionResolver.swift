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
        switch try await flow.session(ofAccessToken: try request.bearerToken(), in: context.scope) {
        case .live(let session):
            var context = context
            context.session = session
            return try await next(request, context)
        case .refused(let refusal):
            throw Problem(refusal.code, detail: refusal.detail)
        }
    }
}
