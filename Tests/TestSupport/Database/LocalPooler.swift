package import GatepostDev
import Foundation
import Synchronization
package import Testing

/// A pgbouncer in transaction mode before a `LocalPostgres`, as an installation may have one.
///
/// Its settings are those that docs/operating.md names. It refuses to run as root, so it runs as the server's user, in
/// a folder below the server's that goes with it; it never outlives this process.
package final class LocalPooler: Sendable {
    /// Debian's.
    private static let program = "/usr/sbin/pgbouncer"
    private static let port = 6432

    /// Why a test is left out where there is one.
    package static let directOnly: Comment = "about a connection of its own, which a pooler does not give"
    /// Whether the tests run behind one: `GATEPOST_TEST_POOLER=pgbouncer`, which `make test POOLER=pgbouncer` sets.
    package static let isAsked = ProcessInfo.processInfo.environment["GATEPOST_TEST_POOLER"] == "pgbouncer"

    /// How to start it.
    package let command: (program: String, arguments: [String])
    /// What it says on standard error once it takes connections.
    package static let readyLine = "process up"
    private let folder: String
    private let process = Mutex<ChildProcess?>(nil)

    /// Writes its settings; nothing is started yet.
    ///
    /// - Parameters:
    ///   - postgres: The server to which it connects.
    ///   - poolSize: Connections to one database as one user at most.
    ///   - database: Where every name leads, each with connections of its own; nil for names that mean what they say.
    /// - Throws: What the file system says.
    package init(before postgres: LocalPostgres, poolSize: Int = 40, database: String? = nil) throws {
        folder = try postgres.makeFolder("pooler")
        let settings = """
            [databases]
            * = host=\(postgres.socket) port=5432\(database.map { " dbname=" + $0 } ?? "")

            [pgbouncer]
            listen_addr =
            listen_port = \(Self.port)
            unix_socket_dir = \(folder)
            pool_mode = transaction
            default_pool_size = \(poolSize)
            max_client_conn = 2000
            auth_type = trust
            auth_user = \(LocalPostgres.superuser)
            auth_file = \(folder)/users.txt
            server_login_retry = 0.2
            log_connections = 0
            log_disconnections = 0
            """
        try settings.write(toFile: folder + "/pgbouncer.ini", atomically: true, encoding: .utf8)
        let users = "\"\(LocalPostgres.superuser)\" \"\"\n"
        try users.write(toFile: folder + "/users.txt", atomically: true, encoding: .utf8)
        // Changing the user takes away that the kernel kills it with us, so that is asked for once more behind it.
        let bound = ["--pdeathsig", "KILL", "--", Self.program, folder + "/pgbouncer.ini"]
        command = postgres.command("/usr/bin/setpriv", bound)
    }

    deinit {
        process.withLock { $0?.signal(SIGKILL) }
    }

    /// Starts it and waits until it takes connections.
    package func start() async throws {
        let started = try await ChildProcess.start(command.program, command.arguments)
        process.withLock { $0 = started }
        let isUp = try await started.wait(within: .seconds(30)) { state -> Bool? in
            if String(decoding: state.errors, as: UTF8.self).contains(Self.readyLine) { return true }
            return state.end.map { _ in false }
        }
        guard isUp else {
            throw OutsideProgram.Failed(
                path: Self.program, status: started.current.exit?.status ?? 0,
                errors: String(decoding: started.current.errors, as: UTF8.self))
        }
    }

    /// A connection URL for libpq that leads through it.
    package func url(database: String, user: String) -> String {
        "postgresql://\(user)@/\(database)?host=\(folder)&port=\(Self.port)"
    }
}
