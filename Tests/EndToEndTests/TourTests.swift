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
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        try await withDev { dev in
            let app = try await dev.line(beginning: "  demo app     ")
            let client = try await dev.line(beginning: "  its client   ")
            let admin = try await dev.line(beginning: "  admin key    ")
            let up = try await dev.line(beginning: "Gatepost is up at ")
            let baseURL = try #require(up.split(separator: " ").first)
            let report: Report = try await Outside.ask(
                "tour.py",
                Question(
                    readme: root.appendingPathComponent("README.md").path, base_url: String(baseURL), app: app,
                    client: client, admin: admin))

            #expect(report.steps.count == report.expected, "the shell ended early: \(report.errors)")
            #expect(report.expected >= 8)
            for step in report.steps {
                #expect(
                    step.matches, "\(step.command)\nshown:\n\(step.shown)\nactual:\n\(step.actual)\n\(report.errors)")
            }
        }
    }

    /// Runs `gatepost dev` on a new folder and a free port for as long as the body takes.
    private func withDev(_ body: (Program) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        let dev = try await Program(
            ["dev", "--port", "\(try await Installation.freePort())", "--data", folder.path], environment: [:])
        do {
            try await body(dev)
        } catch {
            try await dev.terminate()
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        try await dev.terminate()
        try FileManager.default.removeItem(at: folder)
    }
}
