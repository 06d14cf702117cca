import GatepostModel
import HTTPTypes
import Hummingbird
import Logging

/// Watches each request: gives it a trace, counts it, and writes one line with ids, client, route, status and duration.
///
/// The route is the template and never the path, because a path may hold the token of a mail's link. The request's id
/// is ours alone and goes back in `X-Request-Id`; what a caller or a proxy knows it by comes as `traceparent`.
struct AccessLog: RouterMiddleware {
    typealias Context = RootRequestContext

    let logger: Logger
    let observation: Observation
    private let clock = ContinuousClock()

    init(logger: Logger, observation: Observation) {
        (self.logger, self.observation) = (logger, observation)
    }

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        let trace = TraceContext(continuing: request.traceContext, random: observation.random)
        return try await trace.covering {
            let start = clock.now
            do {
                var response = try await next(request, context)
                let duration = clock.now - start
                response.headers[.requestID] = context.id
                observation.meter.count(
                    request.method, context.endpointPath, status: response.status.code, duration)
                if logger.logLevel <= .info { tell(request, context, response, duration) }
                return response
            } catch {
                observation.meter.count(request.method, context.endpointPath, status: nil, clock.now - start)
                throw error
            }
        }
    }

    private func tell(
        _ request: Request, _ context: RootRequestContext, _ response: Response, _ duration: Duration
    ) {
        var metadata: Logger.Metadata = [
            "request.id": "\(context.id)",
            "request.method": "\(request.method.rawValue)",
            "request.route": "\(context.endpointPath ?? "-")",
            "response.status": "\(response.status.code)",
            "duration_us": "\(duration.microseconds)",
        ]
        if let client = context.clientIP { metadata["client.ip"] = "\(client)" }
        // Only what parses as an id: whatever else stands there is the caller's text.
        if let app = context.parameters.get("app", as: AppID.self) { metadata["app.id"] = "\(app)" }
        if let message = context.parameters.get("message", as: MessageID.self) { metadata["message.id"] = "\(message)" }
        logger.info("request", metadata: metadata)
    }
}

extension Request {
    /// The trace that the caller is in; several fields, or one that is not well formed, are none.
    fileprivate var traceContext: TraceContext? {
        let values = headers[values: .traceparent]
        return values.count == 1 ? TraceContext(traceparent: values[0]) : nil
    }
}

extension HTTPField.Name {
    /// A name that is made of letters and hyphens always exists.
    fileprivate static let traceparent = HTTPField.Name("traceparent") ?? .eTag
    fileprivate static let requestID = HTTPField.Name("X-Request-Id") ?? .eTag
}
