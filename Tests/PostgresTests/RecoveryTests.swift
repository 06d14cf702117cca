import Glibc
import Postgres
import Testing

/// Connections break; the next job does not.
@Suite struct RecoveryTests {
    private func terminate(_ backend: Int32, by observer: PostgresPool) async throws {
        try await observer.run("select pg_terminate_backend(\(backend))")
        try await until(observer, "select not exists (select from pg_stat_activity where pid = \(backend))")
    }

    @Test(arguments: Mode.allCases)
    func `an idle connection that was ended is replaced before the next batch`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                for number in 1...5 {
                    let backend = try await pool.backend()
                    try await terminate(backend, by: observer)
                    #expect(try await pool.value("select \(number)") == number)
                    #expect(try await pool.backend() != backend)
                }
            }
        }
    }

    @Test(arguments: Mode.allCases)
    func `a connection that is lost under a statement is an error, and the next batch runs`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                let backend = try await pool.backend()
                let task = Task { try await pool.batch(["select pg_sleep(30)"], deadline: .seconds(25)) }
                try await until(
                    observer,
                    "select exists (select from pg_stat_activity where pid = \(backend) and wait_event = 'PgSleep')")
                try await observer.run("select pg_terminate_backend(\(backend))")
                let error = await failure { try await task.value }
                #expect(error?.kind == .connectionLost(outcomeUnknown: true))
                #expect(error?.outcomeIsUnknown == true)
                #expect(try await pool.value("select 1", as: Int.self) == 1)
            }
        }
    }

    @Test func `a transaction whose connection is lost has surely not committed`() async throws {
        try await withPool { observer async throws in
            try await withPool { pool async throws in
                let error = await failure {
                    try await pool.transaction(deadline: ample) { transaction async throws in
                        let backend = try await transaction.query("select pg_backend_pid()")[0].get(0, as: Int32.self)
                        try await terminate(backend, by: observer)
                        try await transaction.query("select 1")
                    }
                }
                #expect(error?.kind == .connectionLost(outcomeUnknown: false))
                #expect(try await pool.batch(["select 1"], on: .exclusive, deadline: ample).count == 1)
            }
        }
    }

    @Test func `a server that is not there fails at the deadline, and says why`() async throws {
        let pool = PostgresPool(PostgresConfiguration(connectionString: "postgresql:///d?host=/nonexistent&user=u"))
        let error = await failure { try await pool.batch(["select 1"], deadline: .seconds(1)) }
        #expect(error?.kind == .connectFailed)
        #expect(error?.hint?.hasPrefix("No such file or directory") == true)
        #expect(error?.outcomeIsUnknown == false)
        await pool.shutdown()
    }

    @Test func `a shutdown does not wait for a server that is not there`() async throws {
        let pool = PostgresPool(PostgresConfiguration(connectionString: "postgresql:///d?host=/nonexistent&user=u"))
        let task = Task { try await pool.batch(["select 1"], deadline: .seconds(300)) }
        let elapsed = await ContinuousClock().measure {
            await pool.shutdown()
            #expect(await failure { try await task.value }?.kind == .closed)
        }
        #expect(elapsed < .seconds(60))
    }

    @Test func `a task can be cancelled while the server is not there`() async throws {
        let pool = PostgresPool(PostgresConfiguration(connectionString: "postgresql:///d?host=/nonexistent&user=u"))
        let task = Task { try await pool.batch(["select 1"], deadline: .seconds(300)) }
        task.cancel()
        #expect(await failure { try await task.value }?.kind == .cancelled)
        await pool.shutdown()
    }

    @Test(arguments: ["read-write", "any", "primary", "prefer-standby"])
    func `the next host is tried when the first is dead`(_ attributes: String) async throws {
        let (dead, listener) = try deafPort()
        defer { close(listener) }
        try await withHosts(["127.0.0.1:1", dead], attributes) { pool async throws in
            for number in 1...3 { #expect(try await pool.value("select \(number)") == number) }
        }
    }

    @Test func `a primary is not taken for a standby`() async throws {
        try await withHosts([], "standby") { pool async throws in
            // The deadline may also pass before the server has answered, which says nothing.
            for _ in 1...10 {
                let error = await failure { try await pool.batch(["select 1"], deadline: .seconds(1)) }
                #expect(error?.kind == .connectFailed)
                if error?.hint?.contains("hot standby") == true { return }
            }
            Issue.record("the server was never asked whether it is a standby")
        }
    }

    /// A pool that finds these hosts, which do not answer, before the real one.
    private func withHosts(
        _ dead: [String], _ attributes: String, _ body: (PostgresPool) async throws -> Void
    ) async throws {
        // The socket's directory and port are asked of the server, so that any form of URL will do.
        var settings: (directory: String, port: String, database: String, user: String) = ("", "", "", "")
        try await withPool { pool async throws in
            let row = try #require(
                try await pool.run(
                    """
                    select split_part(current_setting('unix_socket_directories'), ',', 1) as directory,
                           current_setting('port') as port, current_database()::text as database,
                           current_user::text as who
                    """
                ).first)
            settings = (
                try row.get("directory"), try row.get("port"), try row.get("database"), try row.get("who")
            )
        }
        let addresses = dead.map { $0.split(separator: ":") }
        let hosts = (addresses.map { String($0[0]) } + [settings.directory]).joined(separator: ",")
        let ports = (addresses.map { String($0[1]) } + [settings.port]).joined(separator: ",")
        let string = """
            host=\(hosts) port=\(ports) dbname=\(settings.database) user=\(settings.user) \
            target_session_attrs=\(attributes)
            """
        try await withPool(
            .prepared,
            {
                $0.connectionString = string
                $0.connectTimeout = .milliseconds(500)
            }, body)
    }

    /// A port of loopback on which connections are accepted by the kernel and then nothing is ever said.
    private func deafPort() throws -> (address: String, descriptor: Int32) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                #expect(unsafe bind(descriptor, pointer, length) == 0)
                #expect(listen(descriptor, 16) == 0)
                #expect(unsafe getsockname(descriptor, pointer, &length) == 0)
            }
        }
        return ("127.0.0.1:\(UInt16(bigEndian: address.sin_port))", descriptor)
    }
}
