import Foundation
import GatepostDev
import TestSupport

/// The real program, run as an operator runs it: arguments, an environment of its own, signals by its process id.
///
/// It never outlives the tests, see `ChildProcess`.
final class Program: Sendable {
    typealias Exit = ChildProcess.Exit

    /// It ended before it said what was waited for.
    struct EndedEarly: Error, CustomStringConvertible {
        let description: String
    }

    /// The program of this build, which lies beside the tests.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("gatepost").path
    /// How long SIGTERM may take: the worker's own 20 s and a little.
    private static let stopBound: Duration = .seconds(30)

    private let name: String
    private let process: ChildProcess

    /// Starts the program, with no more of an environment than what is given; whoever does so must end it.
    ///
    /// - Parameters:
    ///   - arguments: Its arguments.
    ///   - environment: Its settings.
    ///   - executable: Another program of this build.
    ///   - input: What stands on its standard input.
    /// - Throws: What the system says if it cannot be started.
    init(
        _ arguments: [String], environment: [String: String], named executable: String = "gatepost",
        input: String? = nil
    ) async throws {
        name = ([executable] + arguments).joined(separator: " ")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        try input.map { try Data($0.utf8).write(to: file) }
        // It is open by the time that the program runs.
        defer { try? FileManager.default.removeItem(at: file) }
        process = try await ChildProcess.start(
            URL(fileURLWithPath: Self.path).deletingLastPathComponent().appendingPathComponent(executable).path,
            arguments,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 },
            input: input == nil ? .nothing : .file(file.path))
    }

    /// What it wrote on standard output so far.
    var output: String { String(decoding: process.current.output, as: UTF8.self) }
    /// What it wrote on standard error so far: its log, and complaints.
    var errors: String { String(decoding: process.current.errors, as: UTF8.self) }
    /// The process id.
    var processID: Int32 { process.processID }
    /// Whether it has ended.
    var hasEnded: Bool { process.current.exit != nil }

    /// Waits for a line of its output that begins with a text, and returns the rest of the line.
    @discardableResult
    func line(beginning start: String, within bound: Duration = .seconds(60)) async throws -> String {
        let found = try await process.wait(within: bound) { state -> String?? in
            let lines = String(decoding: state.output, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            // The last one may still be growing.
            if let line = lines.dropLast().first(where: { $0.hasPrefix(start) }) {
                return String(line.dropFirst(start.count))
            }
            return state.end == nil ? nil : .some(nil)
        }
        guard let found else { throw EndedEarly(description: "\(name) ended: \(errors.suffix(2000))") }
        return found
    }

    /// Waits until its log holds a text.
    func log(contains text: String, within bound: Duration = .seconds(30)) async throws {
        try await process.wait(within: bound) { state in
            String(decoding: state.errors, as: UTF8.self).contains(text) ? () : nil
        }
    }

    /// Waits for its end by itself.
    func end(within bound: Duration = .seconds(60)) async throws -> Exit {
        try await process.wait(within: bound) { $0.end }
    }

    /// Asks it to stop, and waits until it has.
    @discardableResult
    func terminate() async throws -> Exit {
        process.signal(SIGTERM)
        return try await end(within: Self.stopBound)
    }

    /// Sends it a signal, such as one that stops it or lets it go on.
    func signal(_ number: Int32) {
        process.signal(number)
    }

    /// Kills it at once, and waits until it is gone.
    @discardableResult
    func kill() async throws -> Exit {
        process.signal(SIGKILL)
        return try await end(within: Self.stopBound)
    }
}

extension Program {
    /// What a command that runs to its end came to.
    struct Outcome: Sendable {
        let exit: Exit
        let output: String
        let errors: String

        /// The output of a command with `--json`.
        func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Value.self, from: Data(output.utf8))
        }
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String], environment: [String: String], input: String? = nil,
        within bound: Duration = .seconds(60)
    ) async throws -> Outcome {
        let program = try await Program(arguments, environment: environment, input: input)
        do {
            let exit = try await program.end(within: bound)
            return Outcome(exit: exit, output: program.output, errors: program.errors)
        } catch {
            _ = try? await program.kill()
            throw error
        }
    }
}
