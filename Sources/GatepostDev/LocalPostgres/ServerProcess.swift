import Foundation

/// A running `postgres` that ends with us, even if we are killed.
///
/// A shell in a session of its own holds it: Ctrl-C in the terminal does not reach them. The shell reads from a pipe
/// whose other end only we hold; when we end, however that comes, it reads the end of file and stops the server.
final class ServerProcess: Sendable {
    /// What ends when the server has ended; nil while it runs.
    private let exitStatus: Watched<Int32?>
    /// Our end of the pipe; closing it stops the server.
    private let lifeline: FileHandle

    /// `$1` is a folder to remove once our owner is gone, or empty; `$2` the log; the rest is the server.
    ///
    /// The shell passes no signal on and needs none: we signal the server itself while we live.
    private static let keeper = """
        folder=$1 log=$2
        shift 2
        exec 3<&0
        "$@" </dev/null 3<&- >"$log" 2>&1 &
        server=$!
        ( read -r _ <&3; kill -INT "$server" ) </dev/null >/dev/null 2>&1 &
        watcher=$!
        wait "$server"
        status=$?
        kill "$watcher" 2>/dev/null
        if wait "$watcher" && [ -n "$folder" ]; then rm -rf "$folder"; fi
        exit "$status"
        """

    /// Starts the server; it is not ready yet.
    ///
    /// - Parameters:
    ///   - user: Who it runs as.
    ///   - command: The server's program and its arguments.
    ///   - log: The file that its output replaces.
    ///   - abandonedFolder: A folder to remove if we end without stopping the server.
    /// - Throws: What the system says if the process cannot be made.
    init(as user: ServerUser, _ command: [String], log: String, abandonedFolder: String?) throws {
        let keeper = user.command("/bin/sh", ["-c", Self.keeper, "gatepost-postgres", abandonedFolder ?? "", log])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ShortCommand.launcher[0])
        process.arguments =
            ShortCommand.launcher.dropFirst() + ["/usr/bin/setsid", "--wait", keeper.program] + keeper.arguments
            + command
        process.environment = ShortCommand.environment
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        let pipe = Pipe()
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        lifeline = pipe.fileHandleForWriting
        exitStatus = Watched(nil)
        // A child that inherits our end would keep the server alive after us.
        guard fcntl(lifeline.fileDescriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw LocalPostgresError.failed(program: "fcntl", output: "the pipe cannot be closed on exec")
        }
        process.terminationHandler = { [exitStatus] process in
            exitStatus.update { $0 = process.terminationStatus }
        }
        try process.run()
    }

    deinit {
        release()
    }

    /// Whether it has ended.
    var hasEnded: Bool { exitStatus.current != nil }

    /// Waits for its end.
    ///
    /// - Returns: Whether it came in time.
    func ends(within bound: Duration) async -> Bool {
        (try? await exitStatus.wait(within: bound) { $0 }) != nil
    }

    /// Lets the keeper go: if the server still runs, it stops, and what is abandoned is removed.
    func release() {
        try? lifeline.close()
    }
}
