import GatepostFlows
import GatepostModel
import HTTPTypes
import Hummingbird

/// Takes the address of the person for whom an app's own server calls, from `Gatepost-User-IP`.
///
/// Limits and audit events then have that address; the log keeps the one of the connection. A caller who may not state
/// one is refused, and not merely passed over: it would believe that its users are counted apart.
struct StatedAddress: RouterMiddleware {
    typealias Context = AppRequestContext

    /// The field in which it stands.
    static let field = "Gatepost-User-IP"

    let flow: StatedAddressFlow

    func handle(
        _ request: Request, context: AppRequestContext,
        next: (Request, AppRequestContext) async throws -> Response
    ) async throws -> Response {
        let stated = request.headers.filter { $0.name.canonicalName == Self.field.lowercased() }.map(\.value)
        guard let first = stated.first else { return try await next(request, context) }
        guard stated.count == 1, let address = IPAddress(first) else {
            throw Problem(.invalidRequest, detail: "\(Self.field) is one address.")
        }
        let token = try request.bearerToken()
        guard let client = try await flow.client(ofAccessToken: token, in: context.scope) else {
            throw Problem(
                .permissionDenied, detail: "Only a confidential client with a token of its own states \(Self.field).")
        }
        var context = context
        (context.clientIP, context.statedBy) = (address, client)
        return try await next(request, context)
    }
}
