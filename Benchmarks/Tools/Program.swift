import Foundation
import GatepostDev

/// A program that runs beside this one: Gatepost itself, or a load generator; it cannot outlive this process.
final class Program: Sendable {
    /// It ended badly, or before it said what was waited for.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// How long a program may take to end once it was asked to.
    private static let stopBound: Duration = .seconds(30)

    private let process: ChildProcess
    private let name: String
    private let log: URL

    /// The program of this build that lies beside this one.
    static func sibling(_ name: String) -> String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Starts a program with no more of an environment than what is given; whoever does so must end it.
    static func start(
        _ path: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Program {
        // What it says on standard error is read only if it fails: a server's access log would be work of ours.
        let log = FileManager.default.temporaryDirectory.appendingPathComponent(
            "gatepost-bench-\(UUID().uuidString).log")
        let process = try await ChildProcess.start(
            path, arguments,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 },
            writing: .errorsTo(log.path))
        return Program(process, name: URL(fileURLWithPath: path).lastPathComponent, log: log)
    }

    private init(_ process: ChildProcess, name: String, log: URL) {
        (self.process, self.name, self.log) = (process, name, log)
    }

    deinit {
        try? FileManager.default.removeItem(at: log)
    }

    /// Runs a program to its end and returns its output; throws unless it succeeds.
    static func output(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], within bound: Duration
    ) async throws -> String {
        let program = try await start(path, arguments, environment: environment)
        do {
            let end = try await program.process.wait(within: bound) { $0.end }
            guard end == .done else { throw program.failure("ended with \(end)") }
            return program.output
        } catch {
            await program.stop()
            throw error
        }
    }

    /// Waits for a line of its output that begins with a text, and returns the rest of it.
    @discardableResult
    func line(beginning start: String) async throws -> String {
        let rest = try await process.wait(within: .seconds(60)) { state -> String?? in
            let line = String(decoding: state.output, as: UTF8.self).split(separator: "\n").first {
                $0.hasPrefix(start)
            }
            if let line { return .some(String(line.dropFirst(start.count))) }
            return state.end.map { _ in nil }
        }
        guard let rest else { throw failure("ended early") }
        return rest
    }

    /// Asks it to stop, then makes it, and waits until it is gone.
    func stop() async {
        for signal in [SIGTERM, SIGKILL] where !hasEnded {
            process.signal(signal)
            _ = try? await process.wait(within: Self.stopBound) { $0.end }
        }
    }

    /// The memory that it has in use (VmRSS), in MiB.
    var residentMiB: Double {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(process.processID)/status", encoding: .utf8)
            guard let match = status.firstMatch(of: /VmRSS:\s+(\d+) kB/), let kibibytes = Double(match.1) else {
                throw failure("has no VmRSS")
            }
            return kibibytes / 1024
        }
    }

    /// Whether it has ended.
    var hasEnded: Bool { process.current.end != nil }

    private var output: String { String(decoding: process.current.output, as: UTF8.self) }

    /// An error with the end of what it wrote.
    func failure(_ what: String) -> Failed {
        let errors = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return Failed(description: "\(name) \(what): \(output.suffix(500))\(errors.suffix(1500))")
    }
}
