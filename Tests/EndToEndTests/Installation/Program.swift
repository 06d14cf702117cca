import Foundation
import GatepostDev
import Synchronization

/// The real program, run as an operator runs it: arguments, an environment of its own, signals by its process id.
///
/// It never outlives the tests: whoever starts one ends it, and the kernel kills it with this process.
final class Program: Sendable {
    /// How a program ended.
    struct Exit: Sendable, Equatable {
        /// The exit code, or the signal that killed it.
        let status: Int32
        let isSignal: Bool

        static let done = Exit(status: 0, isSignal: false)
        static let killed = Exit(status: SIGKILL, isSignal: true)
    }

    /// It ended before it said what was waited for.
    struct EndedEarly: Error, CustomStringConvertible {
        let description: String
    }

    private struct State: Sendable {
        var output = Data()
        var errors = Data()
        var openStreams = 2
        var exit: Exit?
        /// Set once everything that it wrote has been read.
        var end: Exit? { openStreams == 0 ? exit : nil }
    }

    /// The program of this build, which lies beside the tests.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("gatepost").path
    /// How long SIGTERM may take: the worker's own 20 s and a little.
    private static let stopBound: Duration = .seconds(30)

    private let process = Process()
    private let name: String
    private let state = Watched(State())

    /// Starts the program, with no more of an environment than what is given; whoever does so must end it.
    init(_ arguments: [String], environment: [String: String]) throws {
        name = (["gatepost"] + arguments).joined(separator: " ")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        // A child inherits the signals that the threads of a task pool block.
        process.arguments =
            ["--pdeathsig", "KILL", "--", "/usr/bin/env", "--default-signal", Self.path] + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe(to: \.output)
        process.standardError = pipe(to: \.errors)
        process.terminationHandler = { [state] process in
            let isSignal = process.terminationReason == .uncaughtSignal
            state.update { $0.exit = Exit(status: process.terminationStatus, isSignal: isSignal) }
        }
        try Launcher.shared.launch(process)
    }

    /// What it wrote on standard output so far.
    var output: String { String(decoding: state.current.output, as: UTF8.self) }
    /// What it wrote on standard error so far: its log, and complaints.
    var errors: String { String(decoding: state.current.errors, as: UTF8.self) }
    /// The process id.
    var processID: Int32 { process.processIdentifier }
    /// Whether it has ended.
    var hasEnded: Bool { state.current.exit != nil }

    /// Waits for a line of its output that begins with a text, and returns the rest of the line.
    @discardableResult
    func line(beginning start: String, within bound: Duration = .seconds(60)) async throws -> String {
        let found = try await state.wait(within: bound) { state -> String?? in
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
        try await state.wait(within: bound) { state in
            String(decoding: state.errors, as: UTF8.self).contains(text) ? () : nil
        }
    }

    /// Waits for its end by itself.
    func end(within bound: Duration = .seconds(60)) async throws -> Exit {
        try await state.wait(within: bound) { $0.end }
    }

    /// Asks it to stop, and waits until it has.
    @discardableResult
    func terminate() async throws -> Exit {
        signal(SIGTERM)
        return try await end(within: Self.stopBound)
    }

    /// Kills it at once, and waits until it is gone.
    @discardableResult
    func kill() async throws -> Exit {
        signal(SIGKILL)
        return try await end(within: Self.stopBound)
    }

    private func signal(_ number: Int32) {
        // The number belongs to it until its end has been noticed here.
        if !hasEnded { _ = Foundation.kill(process.processIdentifier, number) }
    }

    /// A pipe that a thread of its own reads to the end.
    ///
    /// Foundation's `readabilityHandler` was seen to miss the end of a stream now and then.
    private func pipe(to stream: any WritableKeyPath<State, Data> & Sendable) -> Pipe {
        let pipe = Pipe()
        Thread.detachNewThread { [state] in
            while true {
                let data = pipe.fileHandleForReading.availableData
                state.update { state in
                    state[keyPath: stream].append(data)
                    if data.isEmpty { state.openStreams -= 1 }
                }
                if data.isEmpty { return }
            }
        }
        return pipe
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
        _ arguments: [String], environment: [String: String], within bound: Duration = .seconds(60)
    ) async throws -> Outcome {
        let program = try Program(arguments, environment: environment)
        do {
            let exit = try await program.end(within: bound)
            return Outcome(exit: exit, output: program.output, errors: program.errors)
        } catch {
            _ = try? await program.kill()
            throw error
        }
    }
}

/// Starts processes from a thread that never ends.
///
/// The kernel kills a child with the thread that made it, not with the process (prctl(2), PR_SET_PDEATHSIG), and the
/// threads of a pool come and go.
private final class Launcher: Sendable {
    static let shared = Launcher()

    private typealias Start = @Sendable () -> Void

    private let waiting = Mutex<[Start]>([])
    private let arrivals = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                arrivals.wait()
                waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }?()
            }
        }
    }

    func launch(_ process: Process) throws {
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let isStarted = DispatchSemaphore(value: 0)
        waiting.withLock { waiting in
            waiting.append {
                let result = Result { try process.run() }
                outcome.withLock { $0 = result }
                isStarted.signal()
            }
        }
        arrivals.signal()
        isStarted.wait()
        try outcome.withLock { $0 }?.get()
    }
}
