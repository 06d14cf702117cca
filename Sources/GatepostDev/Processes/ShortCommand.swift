import Foundation

/// A program that is run to its end, such as `initdb` or `psql`.
struct ShortCommand: Sendable {
    /// What came of it; the output is of both streams.
    struct Outcome: Sendable {
        let status: Int32
        let output: String
    }

    /// How long a program may run before it is ended.
    static let bound: Duration = .seconds(120)
    /// Characters of output kept in an error; the end is where the reason stands.
    static let outputCharactersMax = 4_000

    /// The environment of every child: nothing of ours, because `PGHOST` and its like would lead it elsewhere.
    static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]

    let program: String
    let arguments: [String]
    /// A file to read as standard input.
    var inputFile: String?

    /// Runs it, and ends it if it takes too long.
    func run() async throws -> Outcome {
        // The user that PostgreSQL runs as may not be allowed into our own folder.
        let child = try await ChildProcess.start(
            program, arguments, environment: Self.environment, folder: "/",
            input: inputFile.map { .file($0) } ?? .nothing)
        defer { child.signal(SIGKILL) }
        let exit = try await child.wait(within: Self.bound) { $0.end }
        let bytes = child.current.output + child.current.errors
        return Outcome(
            status: exit.status, output: String(String(decoding: bytes, as: UTF8.self).suffix(Self.outputCharactersMax))
        )
    }

    /// Runs it and throws with its output unless it succeeds.
    func runSuccessfully() async throws {
        let outcome = try await run()
        guard outcome.status == 0 else {
            let name = URL(fileURLWithPath: program).lastPathComponent
            throw LocalPostgresError.failed(program: name, output: outcome.output)
        }
    }
}
