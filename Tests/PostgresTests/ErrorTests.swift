import Postgres
import Testing

/// Errors say what a program needs and never what a row holds.
@Suite struct ErrorTests {
    private static let secret = "s3cr3t-value"

    /// Runs statements that have to fail and checks that the secret is nowhere in the error.
    private func refusal(_ pool: PostgresPool, _ statements: [SQL]) async throws -> PostgresError {
        let error = try #require(await failure { try await pool.batch(statements, deadline: ample) })
        var dumped = ""
        dump(error, to: &dumped)
        #expect(!"\(error) \(dumped)".contains(Self.secret))
        return error
    }

    @Test(arguments: Mode.allCases)
    func `a violated constraint is named, the value is not`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            try await pool.run("create temp table people (email text constraint people_email_key unique, age int)")
            let insert: SQL = "insert into people (email) values (\(Self.secret))"
            try await pool.run(insert)
            let error = try await refusal(pool, [insert])
            #expect(error.kind == .server)
            #expect(error.sqlState == "23505")
            #expect(error.constraint == "people_email_key")
            #expect(error.table == "people")
            #expect(error.statement == "insert into people (email) values ($1)")
            #expect(!error.outcomeIsUnknown)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a value of the wrong form is not quoted`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            let error = try await refusal(pool, ["select \(Self.secret)::uuid"])
            #expect(error.sqlState == "22P02")
            #expect(error.hint == nil)
        }
    }

    @Test func `a wrong statement is explained`() async throws {
        try await withPool { pool async throws in
            let missing = try await refusal(
                pool, ["select nothing_like_it from pg_class where relname = \(Self.secret)"])
            #expect(missing.sqlState == "42703")
            #expect(missing.hint == "column \"nothing_like_it\" does not exist at character 8")
            #expect(try await refusal(pool, ["selec 1"]).sqlState == "42601")
        }
    }

    @Test func `a function's dynamic statement, which may hold values, is not quoted`() async throws {
        try await withPool { pool async throws in
            let body = "do $$ begin execute 'select ' || 's3cr3t' || '-value from'; end $$"
            let error = try await refusal(pool, [SQL.trusted(body)])
            #expect(error.sqlState == "42601")
            #expect(error.hint == nil)
        }
    }

    @Test func `a raised message is not quoted`() async throws {
        try await withPool { pool async throws in
            let body = "do $$ begin raise exception 'no % here', 's3cr3t' || '-value' using errcode = '42501'; end $$"
            #expect(try await refusal(pool, [SQL.trusted(body)]).sqlState == "42501")
        }
    }

    @Test(arguments: Mode.allCases)
    func `a text with a NUL byte is refused before anything is sent`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            try await pool.run("create temp table marks (n int)")
            let error = try await refusal(
                pool, ["insert into marks values (1)", "select \(1), \("\(Self.secret)\0tail")::text"])
            #expect(error.kind == .unsendableParameter(number: 2))
            #expect(try await pool.value("select count(*) from marks", as: Int.self) == 0)
            // Within an array it travels in binary, and the server refuses it.
            #expect(try await refusal(pool, ["select \(["\(Self.secret)\0"])"]).sqlState == "22021")
        }
    }

    @Test func `an array of arrays is refused before anything is sent`() async throws {
        try await withPool { pool async throws in
            #expect(try await refusal(pool, ["select \([[1], [2]])"]).kind == .unsendableParameter(number: 1))
        }
    }

    @Test func `a column that is not there is named`() async throws {
        try await withPool { pool async throws in
            let row = try #require(try await pool.run("select 1 as one").first)
            let named = await failure { try row.get("two", as: Int.self) }
            #expect(named?.kind == .decoding(column: "two", expected: "a column of the result"))
            #expect(await failure { try row.get(1, as: Int.self) } != nil)
            #expect(await failure { try row.get(-1, as: Int.self) } != nil)
            #expect(try row.get("one", as: Int.self) == 1)
        }
    }

    @Test func `a connection string that cannot be read is not quoted`() async throws {
        let pool = PostgresPool(PostgresConfiguration(connectionString: "host=x password \(Self.secret)"))
        let error = try await refusal(pool, ["select 1"])
        #expect(error.kind == .connectFailed)
        await pool.shutdown()
    }
}
