import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// A refusal that is answered by a page that is shown again, with what was wrong on it.
///
/// Thrown by the handler that saw it before any flow did, so that it is recorded like the same refusal of a JSON route.
struct ShownRefusal: Error {
    let code: ProblemCode
    let page: Response
}

/// Records writes that were refused before they reached a flow: malformed, oversized, unauthorised.
///
/// Flows record what they refuse. Reads change nothing and are not recorded; a request to an unknown app has no
/// audit trail to be recorded in.
struct RefusalRecorder: RouterMiddleware {
    typealias Context = RootRequestContext

    let flow: RefusalFlow

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let refusal as ShownRefusal {
            if let scope = context.app?.scope { try await record(refusal.code, request, context, in: scope) }
            return refusal.page
        } catch {
            if request.method != .get, request.method != .head, let scope = context.app?.scope,
                let code = Self.unrecorded(error)
            {
                try await record(code, request, context, in: scope)
            }
            throw error
        }
    }

    private func record(
        _ code: ProblemCode, _ request: Request, _ context: RootRequestContext, in scope: AppScope
    ) async throws {
        let origin = RequestOrigin(ip: context.clientIP?.description, userAgent: request.headers[.userAgent])
        try await flow.record(code, in: scope, from: origin)
    }

    /// The code of a refusal that nobody has recorded; nil for any other error.
    private static func unrecorded(_ error: any Error) -> ProblemCode? {
        switch error {
        case let error as OAuthError: return error.cause
        case let problem as Problem: return problem.isRecorded ? nil : problem.code
        case let error as any HTTPResponseError: return Problem(reporting: error).code
        default: return nil
        }
    }
}
