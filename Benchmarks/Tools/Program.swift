import Foundation
import GatepostDev

/// A program that runs beside this one: Gatepost itself, or a load generator.
///
/// The kernel ends it with the thread that started it (prctl(2), PR_SET_PDEATHSIG), so it cannot outlive this process;
/// and that thread stays for as long as the program runs.
final class Program: Sendable {
    /// It ended badly, or before it said what was waited for.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private struct State: Sendable {
        var output = ""
        /// Set once it has ended and everything that it wrote has been read.
        var status: Int32?
    }

    /// How long a program may take to end once it was asked to.
    private static let stopBound: Duration = .seconds(30)

    private let process = Process()
    private let output = Pipe()
    private let name: String
    private let log: URL
    private let state = Watched(State())

    /// The program of this build that lies beside this one.
    static func sibling(_ name: String) -> String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Starts a program with no more of an environment than what is given; whoever does so must end it.
    static func start(
        _ path: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Program {
        let program = try Program(path, arguments, environment: environment)
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { program.run(continuation) }
        }
        return program
    }

    private init(_ path: String, _ arguments: [String], environment: [String: String]) throws {
        name = URL(fileURLWithPath: path).lastPathComponent
        // What it says on standard error is read only if it fails: a server's access log would be work of ours.
        log = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-bench-\(UUID().uuidString).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil, attributes: [.posixPermissions: 0o600])
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", "--", "/usr/bin/env", "--default-signal", path] + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        process.standardOutput = output
    }

    /// The whole life of the process, on one thread.
    private func run(_ started: CheckedContinuation<Void, any Error>) {
        do {
            try process.run()
            started.resume()
        } catch {
            return started.resume(throwing: error)
        }
        while true {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { break }
            state.update { $0.output += String(decoding: data, as: UTF8.self) }
        }
        process.waitUntilExit()
        state.update { $0.status = process.terminationStatus }
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
            let status = try await program.state.wait(within: bound) { $0.status }
            guard status == 0 else { throw program.failure("ended with \(status)") }
            return program.state.current.output
        } catch {
            await program.stop()
            throw error
        }
    }

    /// Waits for a line of its output that begins with a text, and returns the rest of it.
    @discardableResult
    func line(beginning start: String) async throws -> String {
        let rest = try await state.wait(within: .seconds(60)) { state -> String?? in
            let line = state.output.split(separator: "\n").first { $0.hasPrefix(start) }
            if let line { return .some(String(line.dropFirst(start.count))) }
            return state.status.map { _ in nil }
        }
        guard let rest else { throw failure("ended early") }
        return rest
    }

    /// Asks it to stop, then makes it, and waits until it is gone.
    func stop() async {
        for signal in [SIGTERM, SIGKILL] where !hasEnded {
            kill(process.processIdentifier, signal)
            _ = try? await state.wait(within: Self.stopBound) { $0.status }
        }
    }

    /// The memory that it has in use (VmRSS), in MiB.
    var residentMiB: Double {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
            guard let match = status.firstMatch(of: /VmRSS:\s+(\d+) kB/), let kibibytes = Double(match.1) else {
                throw failure("has no VmRSS")
            }
            return kibibytes / 1024
        }
    }

    /// Whether it has ended.
    var hasEnded: Bool { state.current.status != nil }

    /// An error with the end of what it wrote.
    func failure(_ what: String) -> Failed {
        let errors = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return Failed(description: "\(name) \(what): \(state.current.output.suffix(500))\(errors.suffix(1500))")
    }
}
