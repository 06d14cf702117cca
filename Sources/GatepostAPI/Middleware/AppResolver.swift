import GatepostModel
import GatepostStore
import Hummingbird

/// Reads the app that the path names into the context.
struct AppResolver: RouterMiddleware {
    typealias Context = RootRequestContext

    let database: Database
    /// What a path stands for that names no app: the built-in one, where admins are.
    var appOfOtherPaths: AppID?

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let named = context.parameters.get("app", as: AppID.self)
        if let id = named ?? appOfOtherPaths { context.app = try await database.app(id) }
        return try await next(request, context)
    }
}
