import GatepostModel
import Hummingbird

/// `GET /health/live` and `GET /health/ready`, for whatever starts, restarts and balances processes.
struct HealthRoutes: Sendable {
    let readiness: Readiness

    var endpoints: RouteCollection<RootRequestContext> {
        RouteCollection(context: RootRequestContext.self)
            .get("health/live", use: live)
            .get("health/ready", use: ready)
    }

    struct Health: ResponseEncodable {
        let status: String
    }

    /// The process answers; whether its database does is no reason to restart it.
    @Sendable func live(_ request: Request, context: RootRequestContext) async throws -> Health {
        Health(status: "live")
    }

    /// Whether it can do its work; if not, the detail says why.
    @Sendable func ready(_ request: Request, context: RootRequestContext) async throws -> Health {
        if let reason = await readiness.reason() { throw Problem(.unavailable, detail: reason.rawValue) }
        return Health(status: "ready")
    }
}
