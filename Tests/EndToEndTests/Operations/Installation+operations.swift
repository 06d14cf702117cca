import Curl
import Foundation
import TestSupport
import Testing

/// A page of metrics as an outside client reads it.
struct MetricsPage: Sendable {
    struct Family: Decodable, Sendable {
        struct Sample: Decodable, Sendable {
            let name: String
            let labels: [String: String]
            let value: String
        }

        let name: String
        let type: String
        let help: String
        let samples: [Sample]
    }

    let text: String
    let families: [Family]

    /// The families' names as the page has them; the client takes `_total` off.
    var names: [String] { families.map { $0.type == "counter" ? $0.name + "_total" : $0.name } }

    /// The value of the one sample that has these labels, among others.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let samples = families.flatMap(\.samples).filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        return samples.count == 1 ? Double(samples[0].value) : nil
    }
}

extension Installation {
    /// Where a program shows its health and its metrics, once it does.
    func operations(of program: Program) async throws -> String {
        try await program.line(beginning: "health and metrics at ")
    }

    /// Scrapes a program.
    func metrics(of program: Program) async throws -> MetricsPage {
        let answer = try await send("GET", try await operations(of: program) + "/metrics")
        try #require(answer.status == 200, "\(answer.text)")
        #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        let families: [MetricsPage.Family] = try await Outside.ask("read_metrics.py", ["text": answer.text])
        return MetricsPage(text: answer.text, families: families)
    }

    /// Asks a program whether it is ready.
    func readiness(of program: Program) async throws -> HTTPResponse {
        try await send("GET", try await operations(of: program) + "/health/ready")
    }
}

extension Program {
    /// The lines of its log, each of which must be a JSON object.
    func logEntries() throws -> [[String: String]] {
        try errors.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object, "\(line)").compactMapValues { $0 as? String }
        }
    }
}
