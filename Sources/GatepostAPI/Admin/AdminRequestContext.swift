import FoundationEssentials
import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// A request to the admin API by somebody who is known; it cannot exist otherwise.
///
/// Whether they may do what the route does is asked by `AdminGroup`, which every admin route goes through.
struct AdminRequestContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let clientIP: IPAddress?
    let principal: AdminPrincipal
    /// The app that the path names; where it names none, the built-in one.
    let app: AppRecord

    init(context: RootRequestContext) throws {
        guard let app = context.app else { throw Problem(.appNotFound) }
        guard let principal = context.admin else { throw Problem(.invalidAPIKey) }
        coreContext = context.coreContext
        (clientIP, self.principal, self.app) = (context.clientIP, principal, app)
    }

    var scope: AppScope { app.scope }
    var responseEncoder: JSONEncoder { .answers }

    /// Where a request came from, as the audit events record it.
    func origin(of request: Request) -> RequestOrigin {
        RequestOrigin(ip: clientIP?.description, userAgent: request.headers[.userAgent])
    }

    /// An id in the path; throws 404 for what is none.
    func id<Kind>(_ name: String, as type: TypedID<Kind>.Type = TypedID<Kind>.self) throws -> TypedID<Kind> {
        guard let id = parameters.get(name, as: TypedID<Kind>.self) else { throw Problem(.notFound) }
        return id
    }
}

extension AdminRequestContext {
    /// Reads a write: its body, and under which idempotency key it comes.
    func write<Body: JSONBody>(
        _ request: Request, _ type: Body.Type = Body.self
    ) async throws -> (body: Body, request: AdminRequest) {
        let bytes = try await request.collectBody(ofType: "application/json")
        return (try Body(json: bytes), try adminRequest(request, body: bytes))
    }

    /// Reads a write that has no body.
    func write(_ request: Request) throws -> AdminRequest {
        try adminRequest(request, body: [])
    }

    /// Reads a write whose answer holds a secret: given once, so there is no repeat to be answered.
    func writeOnce<Body: JSONBody>(
        _ request: Request, _ type: Body.Type = Body.self
    ) async throws -> (body: Body, request: AdminRequest) {
        guard request.headers[.idempotencyKey] == nil else {
            throw Problem(
                .invalidIdempotencyKey, detail: "This route takes none: its answer holds a secret, given once.")
        }
        return try await write(request)
    }

    private func adminRequest(_ request: Request, body: [UInt8]) throws -> AdminRequest {
        let values = request.headers[values: .idempotencyKey]
        guard let value = values.first else { return AdminRequest(principal, from: origin(of: request)) }
        let route = "\(request.method.rawValue) \(request.uri.path)"
        guard values.count == 1,
            let key = IdempotencyKey(value, route: route, principal: principal, body: body)
        else { throw Problem(.invalidIdempotencyKey) }
        return AdminRequest(principal, from: origin(of: request), idempotencyKey: key)
    }
}

extension HTTPField.Name {
    /// `Idempotency-Key`; a name that is made of letters and hyphens always exists.
    static var idempotencyKey: Self { HTTPField.Name("Idempotency-Key") ?? .eTag }
}
