import GatepostModel
import GatepostStore
import Hummingbird

/// `GET /health/live` and `GET /health/ready`, for whatever starts, restarts and balances processes.
struct HealthRoutes: Sendable {
    let database: Database

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

    /// The database has answered within the last second, which is how long an app is remembered.
    @Sendable func ready(_ request: Request, context: RootRequestContext) async throws -> Health {
        guard try await database.app(.gatepost) != nil else { throw Problem(.unavailable) }
        return Health(status: "ready")
    }
}
