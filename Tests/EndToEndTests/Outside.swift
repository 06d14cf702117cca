import Foundation
import GatepostDev
import Testing

/// Python scripts of the folder `python`: clients that we did not write, and what they are good at.
enum Outside {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// The interpreter of the virtual environment that `make test` makes; `GATEPOST_TEST_PYTHON` names another.
    private static var python: String {
        get throws {
            let root = folder.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
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
    static func ask<Answer: Decodable>(_ script: String, _ question: some Encodable) async throws -> Answer {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let (input, output) = (scratch.appendingPathComponent("in"), scratch.appendingPathComponent("out"))
        let errors = scratch.appendingPathComponent("err")
        try JSONEncoder().encode(question).write(to: input)
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try python)
        process.arguments = [folder.appendingPathComponent("python").appendingPathComponent(script).path]
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let exit = Watched<Int32?>(nil)
        process.terminationHandler = { process in exit.update { $0 = process.terminationStatus } }
        try process.run()
        let status = try await exit.wait(within: .seconds(120)) { $0 }
        let complaint = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        try #require(status == 0, "\(script): \(complaint)")
        return try JSONDecoder().decode(Answer.self, from: try Data(contentsOf: output))
    }
}
