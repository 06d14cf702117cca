package import Foundation
import Subprocess
import SystemPackage

/// A program that we start, with what it writes, until its end; every child of ours is one (decision 26).
///
/// Its signals are as at the start of any program, since a child inherits those that the threads of a task pool block,
/// and it holds no file of ours but those that it is given. Two threads of its own read what it writes.
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
        fileprivate var openStreams = 0
        /// Set as soon as it has ended.
        package fileprivate(set) var exit: Exit?
        /// Set once it has ended and everything that it wrote has been read.
        package var end: Exit? { openStreams == 0 ? exit : nil }
    }

    /// What it reads on standard input.
    package enum Input: Sendable {
        /// Nothing.
        case nothing
        /// A file.
        case file(String)
        /// Nothing, and no end of it before we release it or end ourselves.
        case held
    }

    /// What becomes of what it writes.
    package enum Writing: Sendable {
        /// It is kept in the state.
        case kept
        /// Standard output is kept; standard error goes to a new file that this user alone can read.
        case errorsTo(String)
        /// It is lost.
        case discarded
    }

    private let state = Watched(State())
    /// Our end of a held input.
    private let lifeline: FileHandle?
    /// The process id.
    package let processID: Int32

    private init(processID: Int32, lifeline: FileHandle?) {
        (self.processID, self.lifeline) = (processID, lifeline)
    }

    /// What is known of it now.
    package var current: State { state.current }

    /// Waits until something holds of what it wrote or of its end.
    package func wait<Value: Sendable>(
        within bound: Duration, until find: @escaping @Sendable (State) -> Value?
    ) async throws -> Value {
        try await state.wait(within: bound, until: find)
    }

    /// Sends a signal, unless its end has been noticed: the number belongs to it until then.
    package func signal(_ number: Int32) {
        if state.current.exit == nil { _ = kill(processID, number) }
    }

    /// Ends an input that is held.
    package func release() {
        try? lifeline?.close()
    }
}

extension ChildProcess {
    /// Starts a program; whoever does so must end it.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Its arguments.
    ///   - environment: All of its environment; nil for ours.
    ///   - folder: Where it works; nil for where we do.
    ///   - input: What it reads.
    ///   - writing: What becomes of what it writes.
    ///   - outlivesUs: Whether it may live on when this process ends. Any other is killed with us by the kernel: it
    ///     would hold the pipe of our own output open, and whoever waits for its end would wait for ever.
    /// - Returns: The program, which runs.
    /// - Throws: What the system says if it cannot be started.
    package static func start(
        _ path: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil,
        input: Input = .nothing, writing: Writing = .kept, outlivesUs: Bool = false
    ) async throws -> ChildProcess {
        // The kernel kills it with the thread that made it (prctl(2), PR_SET_PDEATHSIG): the library's, which stays.
        let bound = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]
        let command = (outlivesUs ? [] : bound) + [path] + arguments
        let files = try Files(input, writing)
        let variables = environment.map { $0.map { (Environment.Key(stringLiteral: $0.key), $0.value) } }
        let configuration = Configuration(
            executable: .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: variables.map { .custom(Dictionary($0) { first, _ in first }) } ?? .inherit,
            workingDirectory: folder.map { FilePath($0) })
        return try await withCheckedThrowingContinuation { started in
            Task.detached { await live(configuration, files, started) }
        }
    }

    /// The whole life of a program.
    private static func live(
        _ configuration: Configuration, _ files: Files, _ started: CheckedContinuation<ChildProcess, any Error>
    ) async {
        let begun = Watched<ChildProcess?>(nil)
        do {
            let outcome = try await Subprocess.run(
                configuration, input: .fileDescriptor(files.input, closeAfterSpawningProcess: true),
                output: .fileDescriptor(files.output, closeAfterSpawningProcess: true),
                error: .fileDescriptor(files.errors, closeAfterSpawningProcess: true)
            ) { execution in
                let child = ChildProcess(processID: execution.processIdentifier.value, lifeline: files.lifeline)
                child.read(files.kept)
                begun.update { $0 = child }
                started.resume(returning: child)
            }
            let exit =
                switch outcome.terminationStatus {
                case .exited(let code): Exit(status: code, isSignal: false)
                case .signaled(let number): Exit(status: number, isSignal: true)
                }
            begun.current?.state.update { $0.exit = exit }
        } catch {
            guard let child = begun.current else { return started.resume(throwing: error) }
            // It cannot be watched any more, which only the system can be to blame for.
            child.state.update { $0.exit = Exit(status: -1, isSignal: false) }
        }
    }

    private func read(_ kept: [(stream: Files.Stream, handle: FileHandle)]) {
        state.update { $0.openStreams = kept.count }
        for (stream, handle) in kept {
            Thread.detachNewThread { [state] in
                while true {
                    let data = handle.availableData
                    state.update { state in
                        state[keyPath: stream].append(data)
                        if data.isEmpty { state.openStreams -= 1 }
                    }
                    if data.isEmpty { return }
                }
            }
        }
    }

    /// The files of a program that is about to start: its ends, which the library closes, and ours.
    private struct Files: Sendable {
        typealias Stream = any WritableKeyPath<State, Data> & Sendable

        private static let nothing = FilePath("/dev/null")

        let input: FileDescriptor
        let output: FileDescriptor
        let errors: FileDescriptor
        let lifeline: FileHandle?
        let kept: [(stream: Stream, handle: FileHandle)]

        init(_ input: Input, _ writing: Writing) throws {
            switch input {
            case .nothing: (self.input, lifeline) = (try .open(Self.nothing, .readOnly), nil)
            case .file(let path): (self.input, lifeline) = (try .open(FilePath(path), .readOnly), nil)
            case .held:
                let pipe = try FileDescriptor.pipe()
                (self.input, lifeline) = (pipe.readEnd, Self.handle(pipe.writeEnd))
            }
            switch writing {
            case .kept:
                let (first, second) = (try FileDescriptor.pipe(), try FileDescriptor.pipe())
                (output, errors) = (first.writeEnd, second.writeEnd)
                kept = [(\.output, Self.handle(first.readEnd)), (\.errors, Self.handle(second.readEnd))]
            case .errorsTo(let path):
                let pipe = try FileDescriptor.pipe()
                output = pipe.writeEnd
                errors = try .open(
                    FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
                kept = [(\.output, Self.handle(pipe.readEnd))]
            case .discarded:
                (output, errors) = (try .open(Self.nothing, .writeOnly), try .open(Self.nothing, .writeOnly))
                kept = []
            }
        }

        private static func handle(_ file: FileDescriptor) -> FileHandle {
            FileHandle(fileDescriptor: file.rawValue, closeOnDealloc: true)
        }
    }
}
