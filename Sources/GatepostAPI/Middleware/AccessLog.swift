import GatepostModel
import HTTPTypes
import Hummingbird
import Logging

/// Writes one line for each request: its id, method, route, status and duration.
///
/// The route is the template and never the path, because a path may hold the token of a mail's link.
struct AccessLog: RouterMiddleware {
    typealias Context = RootRequestContext

    let logger: Logger
    private let clock = ContinuousClock()

    init(logger: Logger) {
        self.logger = logger
    }

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = clock.now
        let response = try await next(request, context)
        guard logger.logLevel <= .info else { return response }
        var metadata: Logger.Metadata = [
            "request.id": "\(context.id)",
            "request.method": "\(request.method.rawValue)",
            "request.route": "\(context.endpointPath ?? "-")",
            "response.status": "\(response.status.code)",
            "duration_us": "\((clock.now - start).microseconds)",
        ]
        // Only what parses as an id: whatever else stands there is the caller's text.
        if let app = context.parameters.get("app", as: AppID.self) { metadata["app.id"] = "\(app)" }
        logger.info("request", metadata: metadata)
        return response
    }
}
