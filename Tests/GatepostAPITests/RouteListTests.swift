import Foundation
import GatepostAPI
import TestSupport
import Testing

@Suite("Route list")
struct RouteListTests {
    /// The headings of `docs/api.md` that are routes: "### GET /health/live".
    private static func documented() throws -> Set<String> {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/api.md"), encoding: .utf8)
        return Set(
            text.split(separator: "\n").filter { $0.hasPrefix("### ") && $0.contains(" /") }.map {
                String($0.dropFirst(4))
            })
    }

    @Test func `the document and the router name the same routes`() async throws {
        try await TestServer.running(devMails: DevMails { [] }) { server in
            let documented = try Self.documented()
            #expect(documented == Set(server.routes))
        }
    }
}
