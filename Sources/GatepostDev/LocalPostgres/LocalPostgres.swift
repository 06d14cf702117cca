import Foundation

/// A private PostgreSQL server, on a Unix socket that only its owner and root can reach.
///
/// `gatepost dev` keeps one with its data; the tests make one that is thrown away. Both are real servers of the
/// installed version, so what passes here holds in production. The server ends with this process, even with
/// `kill -9`, and a server that did not end properly recovers at the next start.
///
/// The folder holds `data`, `socket` and `server.log` and what `makeFolder` makes, and must be used for nothing else.
package actor LocalPostgres {
    /// What a crash may cost.
    package enum Durability: Sendable {
        /// Nothing that was committed.
        case durable
        /// Everything: nothing is synced to the disk, and the folder is removed when the server stops.
        case disposable
    }

    /// How a running server is ended.
    package enum StopMode: Sendable {
        /// Open transactions are rolled back and the data are left clean.
        case fast
        /// As if the power failed: the next start recovers from the log.
        case immediate
        /// As the kernel kills it: its sessions find out by themselves, and the next start has to wait for them.
        case killed

        var signal: Int32 {
            switch self {
            case .fast: SIGINT
            case .immediate: SIGQUIT
            case .killed: SIGKILL
            }
        }
    }

    /// The superuser that a new cluster has.
    package static let superuser = "postgres"
    /// The longest path of a socket folder in bytes; with `/.s.PGSQL.5432` it must fit into 107 (sun_path).
    static let socketPathBytesMax = 90
    /// How long a start may take; after a crash it replays the log.
    static let startBound: Duration = .seconds(120)
    /// How long each kind of stop may take before the next, harder one.
    static let stopBound: Duration = .seconds(20)
    /// How long the server of an owner who has just died may take to end.
    static let predecessorBound: Duration = .seconds(20)
    /// How often files are looked at while the server starts: it reports in no other way.
    static let lookInterval: Duration = .milliseconds(10)

    /// The folder that it was started on.
    package nonisolated let folder: String
    nonisolated let programs: PostgresPrograms
    nonisolated let socketFolder: String
    nonisolated let user: ServerUser
    private let settings: [String: String]
    private let durability: Durability
    private var process: ServerProcess?

    private init(
        folder: String, socketFolder: String, programs: PostgresPrograms, user: ServerUser,
        settings: [String: String], durability: Durability
    ) {
        self.folder = folder
        self.socketFolder = socketFolder
        self.programs = programs
        self.user = user
        self.settings = settings
        self.durability = durability
    }

    private nonisolated var data: String { folder + "/data" }
    private nonisolated var log: String { folder + "/server.log" }

    /// Starts a server on a folder, which is made and filled if it is new.
    ///
    /// - Parameters:
    ///   - folder: An absolute path.
    ///   - settings: Settings of `postgresql.conf` that go before ours.
    ///   - durability: What a crash may cost.
    /// - Returns: The server, ready for connections.
    /// - Throws: `LocalPostgresError`, or what the file system says.
    package static func start(
        folder: String, settings: [String: String] = [:], durability: Durability
    ) async throws -> LocalPostgres {
        let folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        let data = folder + "/data"
        let programs = try PostgresPrograms.find(forData: data)
        let user = try await ServerUser.choose(forData: data)
        try user.makePrivateFolder(folder)
        try await user.checkReach(of: folder)
        let ownSocketFolder = folder + "/socket"
        let fits = ownSocketFolder.utf8.count <= socketPathBytesMax
        let server = LocalPostgres(
            folder: folder, socketFolder: fits ? ownSocketFolder : shortTemporaryPath(), programs: programs,
            user: user, settings: settings, durability: durability)
        do {
            try await server.makeCluster()
            try await server.launch()
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    /// Starts a disposable server in a new folder below the system's temporary one.
    package static func temporary(settings: [String: String] = [:]) async throws -> LocalPostgres {
        try await start(folder: shortTemporaryPath(), settings: settings, durability: .disposable)
    }

    /// A connection URL for libpq.
    ///
    /// - Parameters:
    ///   - database: The database's name.
    ///   - user: The role; no password is asked for.
    /// - Returns: A URL whose host is the socket's folder.
    package nonisolated func url(database: String, user: String = LocalPostgres.superuser) -> String {
        let allowed = CharacterSet(charactersIn: "-._~").union(.alphanumerics)
        func encoded(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text }
        return "postgresql://\(encoded(user))@/\(encoded(database))?host=\(encoded(socketFolder))&port=5432"
    }

    /// Stops the server, the hard way if it must be; a disposable one's folder is removed.
    package func stop() async {
        await end(.fast)
        if durability == .disposable {
            try? FileManager.default.removeItem(atPath: folder)
        }
        if socketFolder != folder + "/socket" {
            try? FileManager.default.removeItem(atPath: socketFolder)
        }
    }

    /// Ends the server and starts it again on the same data and socket.
    ///
    /// - Parameter mode: How it ends; every connection breaks either way.
    /// - Throws: `LocalPostgresError`.
    package func restart(mode: StopMode) async throws {
        await end(mode)
        try await launchAgain()
    }

    /// Starts the server, again and again while sessions of the last one still hold its shared memory.
    private func launchAgain() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.predecessorBound
        while true {
            do {
                return try await launch()
            } catch LocalPostgresError.ended(let log)
                where log.contains("shared memory block") && clock.now < deadline
            {
                try await Task.sleep(for: Self.lookInterval)
            }
        }
    }

    private func makeCluster() async throws {
        guard !FileManager.default.fileExists(atPath: data) else { return }
        // Made beside its place: half a cluster, left when we are killed meanwhile, must not be taken for a whole one.
        let unfinished = folder + "/data.unfinished"
        try? FileManager.default.removeItem(atPath: unfinished)
        try user.makePrivateFolder(unfinished)
        var arguments = [
            "--pgdata=\(unfinished)", "--username=\(Self.superuser)", "--encoding=UTF8", "--locale=C", "--auth=trust",
        ]
        if durability == .disposable { arguments.append("--no-sync") }
        try await user.command(programs.path(of: "initdb"), arguments).runSuccessfully()
        try FileManager.default.moveItem(atPath: unfinished, toPath: data)
    }

    private func launch() async throws {
        let stale = try await awaitPredecessor()
        try user.makePrivateFolder(socketFolder)
        let server = [programs.path(of: "postgres"), "-D", data] + serverSettings.flatMap { ["-c", "\($0)=\($1)"] }
        let process = try await ServerProcess.start(
            as: user, server, log: log, abandonedFolder: durability == .disposable ? folder : nil)
        self.process = process
        let clock = ContinuousClock()
        let deadline = clock.now + Self.startBound
        while true {
            if let file = PostmasterFile.read(inData: data), file.isReady, file != stale { return }
            guard !process.hasEnded else { throw LocalPostgresError.ended(log: logTail()) }
            guard clock.now < deadline else { throw LocalPostgresError.tooSlow(folder: folder) }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    /// Waits for the server of an owner who has died: it is told to stop, and we come quicker than it goes.
    ///
    /// - Returns: What a server that did not end properly has left behind.
    private func awaitPredecessor() async throws -> PostmasterFile? {
        guard let first = PostmasterFile.read(inData: data) else { return nil }
        let clock = ContinuousClock()
        let begin = clock.now
        while let file = PostmasterFile.read(inData: data), file.isAlive {
            // One that is ready will stay, but for the moment between its owner's death and its signal.
            let bound = file.isReady ? Duration.seconds(1) : Self.predecessorBound
            guard clock.now < begin + bound else {
                throw LocalPostgresError.alreadyRunning(processID: file.processID, folder: folder)
            }
            try await Task.sleep(for: Self.lookInterval)
        }
        if let file = PostmasterFile.read(inData: data), kill(file.processID, 0) == 0 {
            // The number now belongs to another program of ours, which PostgreSQL would take for its predecessor.
            try FileManager.default.removeItem(atPath: PostmasterFile.path(inData: data))
        }
        return first
    }

    private func end(_ mode: StopMode) async {
        guard let process else { return }
        self.process = nil
        for signal in [mode.signal, SIGQUIT, SIGKILL] {
            if !process.hasEnded, let file = PostmasterFile.read(inData: data) {
                kill(file.processID, signal)
            }
            if await process.ends(within: Self.stopBound) { break }
        }
        process.release()
    }

    private var serverSettings: [(String, String)] {
        var all = [
            "listen_addresses": "", "unix_socket_directories": socketFolder, "unix_socket_permissions": "0700",
            "port": "5432", "timezone": "UTC", "log_timezone": "UTC", "max_connections": "200",
            // Without it the log would repeat the values that break a constraint: addresses, for example.
            "log_error_verbosity": "terse",
        ]
        if durability == .disposable {
            all.merge(["fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"]) { $1 }
        }
        all.merge(settings) { $1 }
        return all.sorted { $0.key < $1.key }
    }

    private func logTail() -> String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(10).joined(separator: "\n")
    }

    /// A path that fits a socket even where the temporary folder is deep.
    private static func shortTemporaryPath() -> String {
        let name = "gatepost-" + UUID().uuidString.prefix(8).lowercased()
        let preferred = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        return preferred.utf8.count + "/socket".utf8.count <= socketPathBytesMax ? preferred : "/tmp/" + name
    }
}
