import GatepostModel
import Hummingbird

/// Reports what the caller did wrong in OAuth's own form (RFC 6749, section 5.2) instead of a problem document.
///
/// What is not about the request, such as an unknown app or a database that is away, stays a problem.
struct OAuthErrors: RouterMiddleware {
    typealias Context = RootRequestContext

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OAuthError {
            return error.response
        } catch let problem as Problem {
            guard let error = OAuthError(problem) else { throw problem }
            return error.response
        }
    }
}
