import Foundation
import GatepostDev
import Testing

/// The README's tour, run as a reader would: every command and every answer in it is real.
@Suite("Tour")
struct TourTests {
    private struct Question: Encodable {
        let readme: String
        let base_url: String
        let app: String
        let client: String
        let admin: String
    }

    private struct Report: Decodable {
        struct Step: Decodable {
            let command: String
            let shown: String
            let actual: String
            let matches: Bool
        }

        let steps: [Step]
        let expected: Int
        let errors: String
    }

    @Test func `every command of the tour answers as the README shows`() async throws {
        try await DevServer.running { dev in
            let report: Report = try await Outside.ask(
                "tour.py",
                Question(
                    readme: Outside.root.appendingPathComponent("README.md").path, base_url: dev.baseURL, app: dev.app,
                    client: dev.client, admin: dev.admin))

            #expect(report.steps.count == report.expected, "the shell ended early: \(report.errors)")
            #expect(report.expected >= 8)
            for step in report.steps {
                #expect(
                    step.matches, "\(step.command)\nshown:\n\(step.shown)\nactual:\n\(step.actual)\n\(report.errors)")
            }
        }
    }
}
