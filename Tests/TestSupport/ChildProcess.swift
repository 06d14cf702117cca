package import Foundation
import GatepostDev
import Synchronization

/// A program that a test starts, with all that it writes; it never outlives the tests.
///
/// The kernel kills it with this process: one that lived on would hold the pipe of our own output open, and whoever
/// waits for its end would wait for ever. Its signals are as at the start of any program, since a child inherits
/// those that the threads of a task pool block. Two threads of its own read what it writes: Foundation's
/// `readabilityHandler`, taken away at the end of a stream, was seen to crash in libdispatch once in some hundred runs.
package final class ChildProcess: Sendable {
    /// How a program ended.
    package struct Exit: Sendable, Equatable {
        /// The exit code, or the signal that killed it.
        package let status: Int32
        /// Whether it was killed.
        package let isSignal: Bool

        /// Describes an end.
        package init(status: Int32, isSignal: Bool) {
            (self.status, self.isSignal) = (status, isSignal)
        }

        /// It ended by itself, and well.
        package static let done = Exit(status: 0, isSignal: false)
        /// It was killed.
        package static let killed = Exit(status: SIGKILL, isSignal: true)
    }

    /// What is known of it so far.
    package struct State: Sendable {
        /// What it wrote on standard output.
        package fileprivate(set) var output = Data()
        /// What it wrote on standard error.
        package fileprivate(set) var errors = Data()
        fileprivate var openStreams = 2
        /// Set as soon as it has ended.
        package fileprivate(set) var exit: Exit?
        /// Set once it has ended and everything that it wrote has been read.
        package var end: Exit? { openStreams == 0 ? exit : nil }
    }

    private let process = Process()
    private let state = Watched(State())

    /// Starts a program; whoever does so must end it.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Its arguments.
    ///   - environment: All of its environment; nil for ours.
    ///   - input: A file that it reads; nil for nothing.
    /// - Throws: What the system says if it cannot be started.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String]? = nil, input: URL? = nil
    ) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", "--", "/usr/bin/env", "--default-signal", path] + arguments
        if let environment { process.environment = environment }
        process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
        process.standardOutput = pipe(to: \.output)
        process.standardError = pipe(to: \.errors)
        process.terminationHandler = { [state] process in
            let isSignal = process.terminationReason == .uncaughtSignal
            state.update { $0.exit = Exit(status: process.terminationStatus, isSignal: isSignal) }
        }
        try Launcher.shared.launch(process)
    }

    /// What is known of it now.
    package var current: State { state.current }
    /// The process id.
    package var processID: Int32 { process.processIdentifier }

    /// Waits until something holds of what it wrote or of its end.
    package func wait<Value: Sendable>(
        within bound: Duration, until find: @escaping @Sendable (State) -> Value?
    ) async throws -> Value {
        try await state.wait(within: bound, until: find)
    }

    /// Sends a signal, unless its end has been noticed: the number belongs to it until then.
    package func signal(_ number: Int32) {
        if state.current.exit == nil { _ = kill(process.processIdentifier, number) }
    }

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
