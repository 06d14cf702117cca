import GatepostModel
import GatepostStore
import Hummingbird

/// Reads the app that the path names into the context.
struct AppResolver: RouterMiddleware {
    typealias Context = RootRequestContext

    let database: Database

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let id = context.parameters.get("app", as: AppID.self) { context.app = try await database.app(id) }
        return try await next(request, context)
    }
}
