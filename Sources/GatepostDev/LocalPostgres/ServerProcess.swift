/// A running `postgres` that ends with us, even if we are killed.
///
/// A shell in a session of its own holds it: Ctrl-C in the terminal does not reach them. The shell reads from a pipe
/// whose other end only we hold; when we end, however that comes, it reads the end of file and stops the server.
final class ServerProcess: Sendable {
    /// The shell; releasing its input stops the server.
    private let shell: ChildProcess

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
    /// - Returns: The server, which starts.
    /// - Throws: What the system says if the process cannot be made.
    static func start(
        as user: ServerUser, _ command: [String], log: String, abandonedFolder: String?
    ) async throws -> ServerProcess {
        let keeper = user.command("/bin/sh", ["-c", keeper, "gatepost-postgres", abandonedFolder ?? "", log])
        return ServerProcess(
            shell: try await ChildProcess.start(
                "/usr/bin/setsid", ["--wait", keeper.program] + keeper.arguments + command,
                environment: ShortCommand.environment, folder: "/", input: .held, writing: .discarded,
                outlivesUs: true))
    }

    private init(shell: ChildProcess) {
        self.shell = shell
    }

    deinit {
        release()
    }

    /// Whether it has ended.
    var hasEnded: Bool { shell.current.exit != nil }

    /// Waits for its end.
    ///
    /// - Returns: Whether it came in time.
    func ends(within bound: Duration) async -> Bool {
        (try? await shell.wait(within: bound) { $0.exit }) != nil
    }

    /// Lets the keeper go: if the server still runs, it stops, and what is abandoned is removed.
    func release() {
        shell.release()
    }
}
