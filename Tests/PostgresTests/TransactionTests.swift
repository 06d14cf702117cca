import Postgres
import Testing

/// A transaction holds a connection until it commits, rolls back or runs out of time.
@Suite struct TransactionTests {
    private struct Refused: Error, Equatable {}

    /// A table that both sides of a pool can see, for the duration of the body.
    private func withTable(_ mode: Mode, _ body: (PostgresPool, SQL) async throws -> Void) async throws {
        let name = "transaction_\(UInt64.random(in: 0...UInt64.max))"
        try await withPool(mode) { pool async throws in
            try await pool.run(SQL.trusted("create table \(name) (n int primary key)"))
            do {
                try await body(pool, SQL.trusted(name))
            } catch {
                Issue.record(error)
            }
            try await pool.run(SQL.trusted("drop table \(name)"))
        }
    }

    @Test(arguments: Mode.allCases)
    func `a transaction commits when its body returns`(_ mode: Mode) async throws {
        try await withTable(mode) { pool, table async throws in
            let count = try await pool.transaction(
                begin: ["select set_config('gatepost.app_id', \("7"), true)"], deadline: ample
            ) { transaction async throws in
                #expect(
                    try await transaction.query("select current_setting('gatepost.app_id')")[0].get(0, as: String.self)
                        == "7")
                try await transaction.query("insert into \(table) values (\(1))")
                // Nobody else sees it yet.
                #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 0)
                let results = try await transaction.batch(
                    ["insert into \(table) values (\(2))", "select count(*) from \(table)"])
                return try results[1][0].get(0, as: Int.self)
            }
            #expect(count == 2)
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 2)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a transaction rolls back when its body throws, and the connection is kept`(_ mode: Mode) async throws {
        try await withTable(mode) { pool, table async throws in
            var backends: Set<Int32> = []
            for _ in 1...3 {
                await #expect(throws: Refused.self) {
                    try await pool.transaction(deadline: ample) { transaction async throws in
                        backends.insert(try await transaction.query("select pg_backend_pid()")[0].get(0))
                        try await transaction.query("insert into \(table) values (1)")
                        throw Refused()
                    }
                }
            }
            #expect(backends.count == 1)
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 0)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a transaction in which a statement failed cannot commit, even if its body goes on`(
        _ mode: Mode
    ) async throws {
        try await withTable(mode) { pool, table async throws in
            let error = await failure {
                try await pool.transaction(deadline: ample) { transaction async throws in
                    try await transaction.query("insert into \(table) values (1)")
                    #expect(await failure { try await transaction.query("select 1/0") }?.sqlState == "22012")
                    #expect(await failure { try await transaction.query("select 1") }?.sqlState == "25P02")
                }
            }
            #expect(error?.sqlState == "25P02")
            #expect(error?.outcomeIsUnknown == false)
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 0)
            // The connection is clean, and knows what it has prepared.
            try await pool.transaction(deadline: ample) { transaction async throws in
                #expect(try await transaction.query("select 1")[0].get(0, as: Int.self) == 1)
            }
        }
    }

    @Test func `a commit that the server refuses is an error`() async throws {
        try await withPool { pool async throws in
            let error = await failure {
                try await pool.transaction(deadline: ample) { transaction async throws in
                    try await transaction.batch([
                        "create temp table d (n int constraint d_n_key unique deferrable initially deferred)",
                        "insert into d values (1), (1)",
                    ])
                }
            }
            #expect(error?.constraint == "d_n_key")
        }
    }

    @Test func `a begin that fails is an error and leaves nothing behind`() async throws {
        try await withPool { pool async throws in
            let error = await failure {
                try await pool.transaction(begin: ["select 1 / \(0)"], deadline: ample) { _ in
                    Issue.record("the body must not run")
                }
            }
            #expect(error?.sqlState == "22012")
            let after = try await pool.transaction(deadline: ample) { transaction async throws in
                try await transaction.query("select 5")[0].get(0, as: Int.self)
            }
            #expect(after == 5)
        }
    }

    @Test func `a transaction that has ended takes nothing more`() async throws {
        try await withPool { pool async throws in
            let kept = try await pool.transaction(deadline: ample) { $0 }
            #expect(await failure { try await kept.query("select 1") }?.kind == .closed)
            #expect(await failure { try await kept.runScript("select 1") }?.kind == .closed)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a script runs many statements and is undone with its transaction`(_ mode: Mode) async throws {
        try await withTable(mode) { pool, table async throws in
            let script = """
                insert into \(table.text) values (1); -- a comment; with a semicolon
                do $body$ begin perform 1; end $body$;
                insert into \(table.text) select generate_series(2, 5);
                """
            try await pool.transaction(deadline: ample) { transaction async throws in
                try await transaction.runScript(script)
                let count = try await transaction.query("select count(*) from \(table)")[0].get(0, as: Int.self)
                #expect(count == 5)
                try await transaction.runScript("")
            }
            let error = await failure {
                try await pool.transaction(deadline: ample) { transaction async throws in
                    try await transaction.runScript("delete from \(table.text); select nothing_like_it; select 1")
                }
            }
            #expect(error?.sqlState == "42703")
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 5)
        }
    }

    @Test func `tasks may share a transaction`() async throws {
        try await withPool { pool async throws in
            let sum = try await pool.transaction(deadline: ample) { transaction async throws in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...20 {
                        group.addTask { try await transaction.query("select \(number)")[0].get(0) }
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(sum == 210)
        }
    }

    @Test func `at its deadline an idle transaction is rolled back and the connection freed`() async throws {
        try await withTable(.prepared) { pool, table async throws in
            try await pool.warmExclusive()
            let error = await failure {
                try await pool.transaction(deadline: .milliseconds(200)) { transaction async throws in
                    try await transaction.query("insert into \(table) values (1)")
                    // The one exclusive connection is free again only once the server has rolled back.
                    let freed = try await pool.batch(["select 1"], on: .exclusive, deadline: ample)
                    #expect(freed.count == 1)
                    try await transaction.query("select 1")
                }
            }
            #expect(error?.kind == .deadlineExceeded)
            #expect(error?.outcomeIsUnknown == false)
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 0)
        }
    }

    @Test func `a transaction that overstays does not commit`() async throws {
        try await withTable(.prepared) { pool, table async throws in
            try await pool.warmExclusive()
            let error = await failure {
                try await pool.transaction(deadline: .milliseconds(200)) { transaction async throws in
                    try await transaction.query("insert into \(table) values (1)")
                    _ = try await pool.batch(["select 1"], on: .exclusive, deadline: ample)
                }
            }
            #expect(error?.kind == .deadlineExceeded)
            #expect(try await pool.value("select count(*) from \(table)", as: Int.self) == 0)
        }
    }
}
