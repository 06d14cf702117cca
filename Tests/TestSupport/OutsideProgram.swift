import Foundation
import GatepostDev

/// A program that we did not write, run by a test: it finds what we did not think of.
///
/// A missing program fails the test that needs it; it is never skipped.
package struct OutsideProgram: Sendable {
    /// Debian's Python, which has Debian's modules.
    package static let python = "/usr/bin/python3"

    /// What ended otherwise than well.
    package struct Failed: Error {
        package let path: String
        package let status: Int32
        package let errors: String
    }

    private let process: ChildProcess

    /// Starts a program whose output can be waited for; the caller must `stop` it.
    package init(_ path: String, _ arguments: [String]) async throws {
        process = try await ChildProcess.start(path, arguments)
    }

    /// Waits for so many lines of output.
    package func lines(count: Int, within bound: Duration = .seconds(60)) async throws -> [String] {
        try await process.wait(within: bound) { state in
            let lines = String(decoding: state.output, as: UTF8.self).split(separator: "\n").map(String.init)
            return state.output.last == 0x0a && lines.count >= count ? lines : nil
        }
    }

    /// Ends the program at once and waits for it.
    package func stop() async {
        process.signal(SIGKILL)
        _ = try? await process.wait(within: .seconds(30)) { $0.exit }
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Its arguments.
    ///   - input: What it reads on standard input.
    ///   - bound: How long it may take.
    /// - Returns: What it wrote to standard output.
    /// - Throws: `Failed` if it did not end well.
    package static func run(
        _ path: String, _ arguments: [String], input: [UInt8] = [], within bound: Duration = .seconds(120)
    ) async throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        try Data(input).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = try await ChildProcess.start(path, arguments, input: .file(file.path))
        do {
            let exit = try await process.wait(within: bound) { $0.end }
            guard exit == .done else {
                throw Failed(
                    path: path, status: exit.status, errors: String(decoding: process.current.errors, as: UTF8.self))
            }
            return Array(process.current.output)
        } catch {
            process.signal(SIGKILL)
            throw error
        }
    }

    /// Runs a Python script to its end; see `run`.
    package static func runPython(_ script: String, input: [UInt8]) async throws -> [UInt8] {
        try await run(python, ["-c", script], input: input)
    }
}
