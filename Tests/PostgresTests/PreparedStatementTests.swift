import Postgres
import TestSupport
import Testing

/// What a connection has prepared stays in step with the server.
@Suite(.disabled(if: LocalPooler.isAsked, "pgbouncer 1.18 in transaction mode knows nothing of prepared statements"))
struct PreparedStatementTests {
    @Test func `a statement is prepared once`() async throws {
        try await withPool { pool async throws in
            for number in 1...5 { try await pool.run("select \(number) + 1000") }
            let count: Int = try await pool.value(
                "select count(*) from pg_prepared_statements where statement like '%+ 1000'")
            #expect(count == 1)
        }
    }

    @Test func `nothing is prepared when that is off`() async throws {
        try await withPool(.unprepared) { pool async throws in
            try await pool.run("select \(1)")
            #expect(try await pool.value("select count(*) from pg_prepared_statements", as: Int.self) == 0)
        }
    }

    @Test func `one text with other types is another statement`() async throws {
        try await withPool { pool async throws in
            #expect(try await pool.value("select pg_typeof(\(1))::text", as: String.self) == "bigint")
            #expect(try await pool.value("select pg_typeof(\(Int32(1)))::text", as: String.self) == "integer")
            #expect(try await pool.value("select pg_typeof(\(true))::text", as: String.self) == "boolean")
            #expect(try await pool.value("select pg_typeof(\(Int?.none))::text", as: String.self) == "bigint")
        }
    }

    @Test(arguments: [0, 1, 3, 10])
    func `more statements than the cache holds still run, and the server keeps few`(_ countMax: Int) async throws {
        try await withPool(.prepared, { $0.preparedStatementsMax = countMax }) { pool async throws in
            for round in 1...3 {
                for number in 0..<20 {
                    let text = "select \(number) + \(round) as sum, $1::int8 as same"
                    let result = try await pool.run(SQL.trusted(text, parameters: number))
                    #expect(try result[0].get("sum", as: Int.self) == number + round)
                    #expect(try result[0].get("same", as: Int.self) == number)
                }
            }
            // Those given up are deallocated at the beginning of the next batch.
            let kept: Int = try await pool.value("select count(*) from pg_prepared_statements")
            #expect(kept <= countMax + 1)
        }
    }

    @Test func `a batch of more statements than the cache holds runs`() async throws {
        try await withPool(.prepared, { $0.preparedStatementsMax = 4 }) { pool async throws in
            for _ in 1...3 {
                let results = try await pool.batch(
                    (0..<12).map { SQL.trusted("select $1::int8, \($0)", parameters: $0) }, deadline: ample)
                #expect(try results.map { try $0[0].get(0, as: Int.self) } == Array(0..<12))
            }
        }
    }

    @Test func `a statement that failed is prepared again by the next batch`() async throws {
        try await withPool { pool async throws in
            let statements: [SQL] = ["select 1 / \(0)", "select \(7)"]
            #expect(await failure { try await pool.batch(statements, deadline: ample) }?.sqlState == "22012")
            #expect(try await pool.value("select \(7)", as: Int.self) == 7)
            #expect(await failure { try await pool.run("select * from not_yet") }?.sqlState == "42P01")
            try await pool.run("create temp table not_yet (n int)")
            #expect(try await pool.run("select * from not_yet").isEmpty)
        }
    }

    @Test func `a table may be altered under prepared statements`() async throws {
        try await withPool { pool async throws in
            try await pool.run("create temp table t as select 1 as a")
            let statements: [SQL] = ["select * from t", "select t.*, \(1) from t", "select count(*) from t"]
            #expect(try await pool.batch(statements, deadline: ample).count == 3)
            try await pool.run("alter table t add column b int default 2")
            let results = try await pool.batch(statements, deadline: ample)
            #expect(try results[0][0].get("b", as: Int.self) == 2)
            #expect(try results[1][0].get("b", as: Int.self) == 2)
        }
    }

    @Test func `a table may be altered between transactions`() async throws {
        try await withPool { pool async throws in
            func columns() async throws -> Int {
                try await pool.transaction(begin: ["select * from t"], deadline: ample) { transaction async throws in
                    let row = try await transaction.query("select * from t")[0]
                    return (try? row.get("b", as: Int.self)) == nil ? 1 : 2
                }
            }
            _ = try await pool.batch(["create temp table t as select 1 as a"], on: .exclusive, deadline: ample)
            #expect(try await columns() == 1)
            _ = try await pool.batch(["alter table t add column b int default 2"], on: .exclusive, deadline: ample)
            #expect(try await columns() == 2)
        }
    }

    @Test func `statements that somebody deallocated are prepared again`() async throws {
        try await withPool { pool async throws in
            for _ in 1...3 {
                #expect(try await pool.batch(["select \(1)", "select \(2), 2"], deadline: ample).count == 2)
                try await pool.run("deallocate all")
            }
        }
    }
}
