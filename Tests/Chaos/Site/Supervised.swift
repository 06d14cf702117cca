import Foundation
import GatepostDev
import TestSupport

/// A program that is started again whenever it ends, as a service manager does.
final class Supervised: Sendable {
    /// The pause before it is started again.
    private static let pause: Duration = .milliseconds(200)

    private struct State: Sendable {
        var child: ChildProcess?
        /// How often it has been ready.
        var readyCount = 0
        var isReady = false
        var isEnding = false
        /// Whether what now runs was told to end.
        var isKilled = false
        var crashes: [String] = []
    }

    let name: String
    private let command: (program: String, arguments: [String])
    private let environment: [String: String]
    private let readyText: String
    private let log: URL?
    private let state = Watched(State())

    /// Prepares a program.
    ///
    /// - Parameters:
    ///   - name: What it is called in the report.
    ///   - command: How it is started.
    ///   - environment: All of its environment.
    ///   - readyText: What it writes once it works.
    ///   - logs: A folder for what it writes.
    init(
        _ name: String, _ command: (program: String, arguments: [String]), environment: [String: String],
        saying readyText: String, logs: String?
    ) {
        (self.name, self.command, self.environment, self.readyText) = (name, command, environment, readyText)
        log = logs.map { URL(fileURLWithPath: $0).appendingPathComponent(name + ".log") }
    }

    /// Ends that nobody had asked for, after it had been ready.
    var crashes: [String] { state.current.crashes }
    /// How often it has been ready.
    var readyCount: Int { state.current.readyCount }

    /// Keeps it running until `end`.
    func run() async {
        while !state.current.isEnding {
            do {
                try await once()
            } catch {
                state.update { $0.crashes.append("\(self.name) cannot be started: \(error)") }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func once() async throws {
        let child = try await ChildProcess.start(
            command.program, command.arguments,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 })
        state.update { ($0.child, $0.isReady, $0.isKilled) = (child, false, false) }
        if state.current.isEnding { child.signal(SIGKILL) }
        let readyText = readyText
        let isReady = try? await child.wait(within: .seconds(90)) { state -> Bool? in
            let said = String(decoding: state.output + state.errors, as: UTF8.self).contains(readyText)
            return said ? true : state.exit.map { _ in false }
        }
        if isReady == true {
            state.update { state in
                state.isReady = true
                state.readyCount += 1
            }
        } else if child.current.exit == nil {
            child.signal(SIGKILL)
        }
        let exit = try await child.wait(within: .seconds(24 * 3600)) { $0.exit }
        Self.forgetSharedMemory(of: child.processID)
        write(child, exit)
        state.update { state in
            state.child = nil
            state.isReady = false
            guard !state.isKilled, !state.isEnding, isReady == true || exit.isSignal else { return }
            let last = String(decoding: child.current.errors.suffix(600), as: UTF8.self)
            state.crashes.append("\(self.name) ended by itself (\(exit)): \(last)")
        }
    }

    /// Sends a signal that ends it; it is started again.
    ///
    /// - Returns: Whether it ran.
    func kill(_ signal: Int32 = SIGKILL) -> Bool {
        state.update { state in
            guard let child = state.child else { return false }
            state.isKilled = true
            child.signal(signal)
            return true
        }
    }

    /// Sends a signal that it lives through.
    func signal(_ number: Int32) {
        state.current.child?.signal(number)
    }

    /// Waits until it has been ready more often.
    func wait(untilReadyAfter count: Int, within bound: Duration = .seconds(120)) async throws {
        try await state.wait(within: bound) { $0.readyCount > count && $0.isReady ? () : nil }
    }

    /// Waits until it is ready.
    func waitUntilReady() async throws {
        try await state.wait(within: .seconds(120)) { $0.isReady ? () : nil }
    }

    /// Ends it for good.
    func end() {
        state.update { $0.isEnding = true }
        state.current.child?.signal(SIGKILL)
    }

    private func write(_ child: ChildProcess, _ exit: ChildProcess.Exit) {
        guard let log else { return }
        let head = "=== process \(child.processID), \(exit)\n"
        let old = (try? Data(contentsOf: log)) ?? Data()
        try? (old + Data(head.utf8) + child.current.output + child.current.errors).write(to: log)
    }

    /// What libfaketime shares between processes stays behind one that was killed.
    private static func forgetSharedMemory(of process: Int32) {
        for name in ["faketime_shm_\(process)", "sem.faketime_sem_\(process)"] {
            try? FileManager.default.removeItem(atPath: "/dev/shm/" + name)
        }
    }
}
