import Foundation
import HTTPTypes
import Hummingbird

/// `GET /openapi.json`: what docs/openapi.json says of every route, for tools.
struct OpenAPIRoutes: Sendable {
    private let document: ByteBuffer

    /// Reads the document that comes with the program.
    init() throws {
        let file = Bundle.module.bundleURL.appendingPathComponent("openapi.json")
        guard let data = try? Data(contentsOf: file) else { throw Pages.Unreadable(name: "openapi.json") }
        document = ByteBuffer(bytes: data)
    }

    var endpoints: RouteCollection<RootRequestContext> {
        RouteCollection(context: RootRequestContext.self)
            .get("openapi.json", use: show)
    }

    @Sendable func show(_ request: Request, context: RootRequestContext) async throws -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/json",
                .cacheControl: "public, max-age=\(DiscoveryRoutes.cacheSeconds)",
            ],
            body: .init(byteBuffer: document))
    }
}
