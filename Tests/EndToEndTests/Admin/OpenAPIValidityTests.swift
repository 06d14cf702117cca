import Foundation
import Testing

/// The OpenAPI document, as a tool reads it that we did not write.
@Suite("OpenAPI document")
struct OpenAPIValidityTests {
    private struct Question: Encodable {
        let document: String
    }

    private struct Report: Decodable {
        let errors: [String]
    }

    @Test func `the document is valid OpenAPI 3_1, and the validator would say if not`() async throws {
        let document = try String(
            contentsOf: Outside.root.appendingPathComponent("docs/openapi.json"), encoding: .utf8)
        let report: Report = try await Outside.ask("validate_openapi.py", Question(document: document))
        #expect(report.errors == [])

        let broken = document.replacing("\"openapi\"", with: "\"open\"")
        let refused: Report = try await Outside.ask("validate_openapi.py", Question(document: broken))
        #expect(!refused.errors.isEmpty)
    }
}
