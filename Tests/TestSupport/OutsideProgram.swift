import Foundation
import GatepostDev
import Glibc

/// A program that we did not write, run by a test: it finds what we did not think of.
///
/// A missing program fails the test that needs it; it is never skipped.
package final class OutsideProgram: Sendable {
    /// Debian's Python, which has Debian's modules.
    package static let python = "/usr/bin/python3"

    /// What ended otherwise than well.
    package struct Failed: Error {
        package let path: String
        package let status: Int32
        package let errors: String
    }

    private struct State: Sendable {
        var output: [UInt8] = []
        var status: Int32?
    }

    private let process: Process
    private let input: Pipe
    private let state: Watched<State>

    /// Starts a program whose output can be waited for; the caller must `stop` it.
    package init(_ path: String, _ arguments: [String]) throws {
        let state = Watched(State())
        let output = Pipe()
        process = Process()
        input = Pipe()
        self.state = state
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.terminationHandler = { process in state.update { $0.status = process.terminationStatus } }
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            state.update { $0.output += data }
        }
        try process.run()
    }

    /// Waits for so many lines of output.
    package func lines(count: Int, within bound: Duration = .seconds(60)) async throws -> [String] {
        try await state.wait(within: bound) { state in
            let lines = String(decoding: state.output, as: UTF8.self).split(separator: "\n").map(String.init)
            return state.output.last == 0x0a && lines.count >= count ? lines : nil
        }
    }

    /// Ends the program by its process id and waits for it.
    ///
    /// By SIGKILL: it has inherited the signal mask of a Dispatch thread, which holds back SIGTERM.
    package func stop() async {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        _ = try? await state.wait(within: .seconds(30)) { $0.status }
    }

    /// Runs a Python script to its end.
    ///
    /// - Parameters:
    ///   - script: The program text.
    ///   - input: What it reads on standard input.
    /// - Returns: What it wrote to standard output.
    /// - Throws: `Failed` if it did not end well.
    package static func runPython(_ script: String, input: [UInt8]) async throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try Data(input).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let ended = Watched<Int32?>(nil)
        process.terminationHandler = { process in ended.update { $0 = process.terminationStatus } }
        try process.run()
        let status = try await ended.wait(within: .seconds(60)) { $0 }
        guard status == 0 else {
            throw Failed(
                path: python, status: status, errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
        }
        return Array(try Data(contentsOf: files[1]))
    }
}
