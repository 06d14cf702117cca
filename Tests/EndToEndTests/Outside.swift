import Foundation
import TestSupport
import Testing

/// Python scripts of the folder `python`: clients that we did not write, and what they are good at.
enum Outside {
    /// Where they are.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("python")

    /// The repository.
    static let root = folder.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The interpreter of the virtual environment that `make test` makes; `GATEPOST_TEST_PYTHON` names another.
    static var python: String {
        get throws {
            let path =
                ProcessInfo.processInfo.environment["GATEPOST_TEST_PYTHON"]
                ?? root.appendingPathComponent(".venv-tests/bin/python").path
            try #require(
                FileManager.default.isExecutableFile(atPath: path),
                "there is no \(path): make test makes it, or name an interpreter by GATEPOST_TEST_PYTHON")
            return path
        }
    }

    /// Runs a script on a question and returns its answer, both in JSON.
    static func ask<Answer: Decodable>(
        _ script: String, _ question: some Encodable, within bound: Duration = .seconds(120)
    ) async throws -> Answer {
        let answer = try await OutsideProgram.run(
            try python, [folder.appendingPathComponent(script).path],
            input: Array(try JSONEncoder().encode(question)), within: bound)
        return try JSONDecoder().decode(Answer.self, from: Data(answer))
    }
}
