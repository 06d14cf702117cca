import Postgres
import Testing

/// A batch is one implicit transaction.
@Suite struct BatchTests {
    @Test(arguments: Mode.allCases)
    func `each statement has its result`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            let results = try await pool.batch(
                [
                    "create temp table t (n int)", "insert into t select generate_series(1, \(5))",
                    "select n from t order by n", "update t set n = n where n > 3", "",
                ], deadline: ample)
            #expect(results.count == 5)
            #expect(results[1].affectedCount == 5)
            #expect(try results[2].map { try $0.get("n", as: Int.self) } == [1, 2, 3, 4, 5])
            #expect(try results[2].last?.get(0, as: Int.self) == 5)
            #expect(results[3].affectedCount == 2)
            #expect(results[3].isEmpty)
            #expect(try await pool.batch([], deadline: ample).isEmpty)
        }
    }

    @Test(arguments: Mode.allCases)
    func `one failing statement undoes all, and the next batch is clean`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            try await pool.run("create temp table t (n int primary key)")
            let backend = try await pool.backend()
            for failing: SQL in ["insert into t values (1)", "selec", "select 1 / \(0)", "select \("x")::int"] {
                let error = await failure {
                    _ = try await pool.batch(
                        ["insert into t values (\(1))", failing, "insert into t values (\(2))"], deadline: ample)
                }
                #expect(error?.kind == .server)
                #expect(error?.statement == failing.text)
                #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            }
            #expect(try await pool.backend() == backend)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a constraint that is checked at the commit fails the batch`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            try await pool.run("create temp table t (n int constraint t_n_key unique deferrable initially deferred)")
            for _ in 1...2 {
                let error = await failure {
                    _ = try await pool.batch(
                        ["insert into t values (\(1))", "insert into t values (\(1))", "select 1"], deadline: ample)
                }
                #expect(error?.sqlState == "23505")
                #expect(error?.constraint == "t_n_key")
                #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            }
        }
    }

    @Test(arguments: Mode.allCases)
    func `a batch larger than all buffers goes through`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            let megabyte = [UInt8](repeating: 1, count: 1 << 20)
            let results = try await pool.batch((0..<12).map { _ in "select \(megabyte)" }, deadline: ample)
            #expect(results.count == 12)
            #expect(try results[11][0].get(0, as: [UInt8].self).count == 1 << 20)
        }
    }

    @Test(arguments: Mode.allCases)
    func `many tasks share few connections`(_ mode: Mode) async throws {
        try await withPool(mode, { $0.sharedConnectionsMax = 4 }) { pool async throws in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let side: PostgresPool.Side = number.isMultiple(of: 2) ? .shared : .exclusive
                        let results = try await pool.batch(["select \(number)"], on: side, deadline: ample)
                        return try results[0][0].get(0)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 500 * 499 / 2)
        }
    }

    @Test func `a batch that leaves a transaction open costs its connection, not the next batch`() async throws {
        try await withPool { pool async throws in
            let backend = try await pool.backend()
            try await pool.run("begin")
            #expect(try await pool.backend() != backend)
        }
    }

    @Test func `a copy is an error, not a hang`() async throws {
        try await withPool { pool async throws in
            #expect(await failure { try await pool.run("copy (select 1) to stdout") } != nil)
            #expect(try await pool.value("select 2", as: Int.self) == 2)
        }
    }

    @Test func `what was set for a batch is gone in the next`() async throws {
        try await withPool { pool async throws in
            let results = try await pool.batch(
                ["select set_config('gatepost.app_id', \("7"), true)", "select current_setting('gatepost.app_id')"],
                deadline: ample)
            #expect(try results[1][0].get(0, as: String.self) == "7")
            #expect(try await pool.value("select current_setting('gatepost.app_id', true)", as: String.self) == "")
        }
    }

    @Test func `nothing runs after the shutdown`() async throws {
        try await withPool { pool async throws in
            try await pool.run("select 1")
            await pool.shutdown()
            #expect(await failure { try await pool.run("select 1") }?.kind == .closed)
            await pool.shutdown()
        }
    }
}
