import Foundation

/// A program that is run to its end, such as `initdb` or `psql`.
struct ShortCommand: Sendable {
    /// What came of it; the output is of both streams.
    struct Outcome: Sendable {
        let status: Int32
        let output: String
    }

    /// How long a program may run before it is ended.
    static let secondsMax = 120.0
    /// Bytes of output kept in an error; the end is where the reason stands.
    static let outputCharactersMax = 4_000

    let program: String
    let arguments: [String]
    /// A file to read as standard input.
    var inputFile: String?

    /// What every child is started through: Swift's worker threads block all signals, and a child would inherit that.
    ///
    /// A shell whose SIGCHLD is blocked waits for ever for a child that has ended.
    static let launcher = ["/usr/bin/env", "--default-signal"]

    /// The environment of every child: nothing of ours, because `PGHOST` and its like would lead it elsewhere.
    static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]

    /// Runs it on a thread of its own.
    func run() async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.launcher[0])
        process.arguments = Self.launcher.dropFirst() + [program] + arguments
        process.environment = Self.environment
        // The user that PostgreSQL runs as may not be allowed into our own folder.
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput =
            try inputFile.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) }
            ?? FileHandle.nullDevice
        try process.run()
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Self.await(process, output) })
            }
        }
    }

    /// Runs it and throws with its output unless it succeeds.
    func runSuccessfully() async throws {
        let outcome = try await run()
        guard outcome.status == 0 else {
            let name = URL(fileURLWithPath: program).lastPathComponent
            throw LocalPostgresError.failed(program: name, output: outcome.output)
        }
    }

    private static func await(_ process: Process, _ output: Pipe) throws -> Outcome {
        let deadline = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + secondsMax, execute: deadline)
        defer { deadline.cancel() }
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(String(decoding: bytes, as: UTF8.self).suffix(outputCharactersMax)))
    }
}
