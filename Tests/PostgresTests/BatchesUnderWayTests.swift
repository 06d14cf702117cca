import Postgres
import Testing

/// Several batches on one connection, sent before the first is answered, are transactions of their own.
@Suite struct BatchesUnderWayTests {
    /// Starts tasks one after the other and sends their batches together.
    ///
    /// The pool has one connection. A batch that waits for a lock keeps it busy until all the others are queued, so
    /// that the worker then finds them side by side.
    private func together(
        on pool: PostgresPool, _ observer: PostgresPool, _ batches: [[SQL]], deadline: Duration = .seconds(25)
    ) async throws -> [Task<[PostgresResult], any Error>] {
        let lock = Int.random(in: 0...Int.max)
        let backend = try await pool.backend()
        return try await observer.transaction(deadline: ample) { transaction async throws in
            try await transaction.query("select pg_advisory_xact_lock(\(lock))")
            let gate = Task { try await pool.batch(["select pg_advisory_xact_lock(\(lock))"], deadline: ample) }
            try await until(
                observer,
                "select wait_event is not distinct from 'advisory' from pg_stat_activity where pid = \(backend)")
            _ = gate
            return batches.map { batch in Task.immediate { try await pool.batch(batch, deadline: deadline) } }
        }
    }

    /// A statement by which the server's process is recognised while it sleeps.
    private static func sleep(_ label: String) -> SQL { SQL.trusted("select pg_sleep(30) -- \(label)") }

    private static func untilAsleep(_ label: String, _ observer: PostgresPool) async throws {
        try await until(
            observer,
            """
            select exists (select from pg_stat_activity
                            where query = \("select pg_sleep(30) -- \(label)") and wait_event = 'PgSleep')
            """)
    }

    private static func error(of task: Task<[PostgresResult], any Error>) async -> PostgresError? {
        await failure { try await task.value }
    }

    private static func label() -> String { "under_way_\(UInt64.random(in: 0...UInt64.max))" }

    @Test(arguments: Mode.allCases)
    func `each is a transaction of its own, in the order they came`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                try await pool.run("create temp table marks (n int primary key)")
                let backend = try await pool.backend()
                let tasks = try await together(
                    on: pool, observer,
                    [
                        ["insert into marks values (\(1))", "select count(*) from marks"],
                        ["insert into marks values (\(2))", "select 1 / \(0)"],
                        ["insert into marks values (\(3))", "select count(*) from marks"],
                        ["insert into marks values (\(1))"],
                        ["select string_agg(n::text, ',' order by n) from marks"],
                    ])
                #expect(try await tasks[0].value[1].first?.get(0, as: Int.self) == 1)
                #expect(await Self.error(of: tasks[1])?.sqlState == "22012")
                #expect(try await tasks[2].value[1].first?.get(0, as: Int.self) == 2)
                #expect(await Self.error(of: tasks[3])?.sqlState == "23505")
                #expect(try await tasks[4].value[0].first?.get(0, as: String.self) == "1,3")
                #expect(try await pool.backend() == backend)
            }
        }
    }

    @Test(arguments: [1, 4])
    func `those that are sent together no longer fill the queue`(_ underWayMax: Int) async throws {
        try await withPool { observer async throws in
            let configure: (inout PostgresConfiguration) -> Void = {
                $0.batchesUnderWayMax = underWayMax
                $0.queuedMax = 4
            }
            try await withPool(.prepared, configure) { pool async throws in
                let label = Self.label()
                let tasks = try await together(
                    on: pool, observer, [[Self.sleep(label)], ["select 1"], ["select 2"], ["select 3"]])
                try await Self.untilAsleep(label, observer)
                let late = (1...2).map { _ in Task.immediate { try await pool.batch(["select 4"], deadline: ample) } }
                tasks[0].cancel()
                #expect(await Self.error(of: tasks[0])?.kind == .cancelled)
                for (index, task) in tasks.enumerated().dropFirst() {
                    #expect(try await task.value[0].first?.get(0, as: Int.self) == index)
                }
                // One by one, three of the four still wait when the first two come late: there is room for one.
                #expect(await Self.error(of: late[0]) == nil)
                #expect(await Self.error(of: late[1])?.kind == (underWayMax == 1 ? .poolExhausted : nil))
            }
        }
    }

    @Test(arguments: Mode.allCases)
    func `the deadline of one ends it and none of the others`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                let backend = try await pool.backend()
                let tasks = try await together(
                    on: pool, observer, [["select 1"], ["select pg_sleep(30)"], ["select 2"], ["select 3"]],
                    deadline: .seconds(3))
                #expect(await Self.error(of: tasks[0]) == nil)
                let error = await Self.error(of: tasks[1])
                #expect(error?.kind == .deadlineExceeded && error?.outcomeIsUnknown == false)
                // What was sent behind it has the same deadline: it may have run, or not.
                for task in tasks[2...] {
                    let error = await Self.error(of: task)
                    #expect(error == nil || error?.kind == .deadlineExceeded)
                }
                #expect(try await pool.backend() == backend)
            }
        }
    }

    @Test(arguments: Mode.allCases)
    func `one that is cancelled ends, and a cancellation that hits the next is made good`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                for _ in 1...20 {
                    let label = Self.label()
                    let tasks = try await together(
                        on: pool, observer,
                        [["select 1"], [Self.sleep(label)], ["select pg_sleep(0.001)"], ["select 4"]])
                    try await Self.untilAsleep(label, observer)
                    tasks[1].cancel()
                    #expect(await Self.error(of: tasks[1])?.kind == .cancelled)
                    for index in [0, 2, 3] { #expect(await Self.error(of: tasks[index]) == nil) }
                }
            }
        }
    }

    @Test(arguments: Mode.allCases)
    func `a connection that ends under one leaves what was behind it to run again`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                let backend = try await pool.backend()
                let label = Self.label()
                let tasks = try await together(
                    on: pool, observer, [["select 1"], [Self.sleep(label)], ["select 3"], ["select pg_backend_pid()"]])
                try await Self.untilAsleep(label, observer)
                try await observer.run("select pg_terminate_backend(\(backend))")
                #expect(await Self.error(of: tasks[0]) == nil)
                let error = await Self.error(of: tasks[1])
                #expect(error?.kind == .connectionLost(outcomeUnknown: true))
                #expect(try await tasks[2].value[0].first?.get(0, as: Int.self) == 3)
                #expect(try await tasks[3].value[0].first?.get(0, as: Int32.self) != backend)
            }
        }
    }

    @Test func `a statement that one failed to prepare is prepared for the next`() async throws {
        try await withPool { observer async throws in
            try await withPool { pool async throws in
                let tasks = try await together(
                    on: pool, observer, [["select 1 / \(0)", "select \(7) as n"], ["select \(8) as n"]])
                #expect(await Self.error(of: tasks[0])?.sqlState == "22012")
                #expect(try await tasks[1].value[0].first?.get("n", as: Int.self) == 8)
            }
        }
    }

    @Test func `one that is in more of a hurry than the one before it does not wait for it`() async throws {
        try await withPool { observer async throws in
            try await withPool { pool async throws in
                let label = Self.label()
                let tasks = try await together(on: pool, observer, [[Self.sleep(label)]])
                let hurried = Task.immediate { try await pool.batch(["select 1"], deadline: .milliseconds(200)) }
                let error = await Self.error(of: hurried)
                #expect(error?.kind == .deadlineExceeded && error?.outcomeIsUnknown == false)
                tasks[0].cancel()
                #expect(await Self.error(of: tasks[0])?.kind == .cancelled)
            }
        }
    }
}
