import Postgres
import Testing

/// Deadlines and cancellations reach a job wherever it is, and cost no more than the job.
@Suite struct DeadlineTests {
    /// Far less than the statements below would take, far more than ending them does.
    private static let prompt: Duration = .seconds(10)

    /// What a pool's connections are recognised by in `pg_stat_activity`.
    private static func label() -> String { "deadline_\(UInt64.random(in: 0...UInt64.max))" }

    private static func isSleeping(_ label: String) -> SQL {
        """
        select exists (select from pg_stat_activity
                        where query = \("select pg_sleep(30) -- \(label)") and wait_event = 'PgSleep')
        """
    }

    private static func sleep(_ label: String) -> SQL { SQL.trusted("select pg_sleep(30) -- \(label)") }

    @Test(arguments: Mode.allCases)
    func `a statement is ended at its deadline and the connection goes on`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            let backend = try await pool.backend()
            let elapsed = await ContinuousClock().measure {
                let error = await failure {
                    _ = try await pool.batch(["select pg_sleep(30)"], deadline: .milliseconds(100))
                }
                #expect(error?.kind == .deadlineExceeded)
                #expect(error?.outcomeIsUnknown == false)
            }
            #expect(elapsed < Self.prompt)
            #expect(elapsed >= .milliseconds(100))
            #expect(try await pool.backend() == backend)
        }
    }

    @Test(arguments: Mode.allCases)
    func `a cancelled task's statement is ended and the connection goes on`(_ mode: Mode) async throws {
        try await withPool { observer async throws in
            try await withPool(mode) { pool async throws in
                let backend = try await pool.backend()
                let label = Self.label()
                let task = Task { try await pool.batch([Self.sleep(label)], deadline: .seconds(25)) }
                try await until(observer, Self.isSleeping(label))
                let elapsed = await ContinuousClock().measure {
                    task.cancel()
                    let error = await failure { try await task.value }
                    #expect(error?.kind == .cancelled)
                }
                #expect(elapsed < Self.prompt)
                #expect(try await pool.backend() == backend)
            }
        }
    }

    @Test func `a deadline ends a statement within a transaction`() async throws {
        try await withPool { pool async throws in
            try await pool.warmExclusive()
            let error = await failure {
                try await pool.transaction(deadline: .milliseconds(100)) { transaction async throws in
                    try await transaction.query("select pg_sleep(30)")
                }
            }
            #expect(error?.kind == .deadlineExceeded)
            #expect(error?.outcomeIsUnknown == false)
            #expect(try await pool.batch(["select 1"], on: .exclusive, deadline: ample).count == 1)
        }
    }

    @Test func `a cancellation ends a script, and the transaction is rolled back`() async throws {
        try await withPool { observer async throws in
            try await withPool { pool async throws in
                let label = Self.label()
                let task = Task {
                    try await pool.transaction(deadline: .seconds(25)) { transaction async throws in
                        try await transaction.runScript("select pg_sleep(30) -- \(label)")
                    }
                }
                try await until(observer, Self.isSleeping(label))
                task.cancel()
                #expect(await failure { try await task.value }?.kind == .cancelled)
                #expect(try await pool.batch(["select 1"], on: .exclusive, deadline: ample).count == 1)
            }
        }
    }

    @Test func `queued jobs end at their deadline or with their task, and a full queue refuses`() async throws {
        try await withPool { observer async throws in
            try await withPool(.prepared, { $0.queuedMax = 2 }) { pool async throws in
                let label = Self.label()
                let blocking = Task { try await pool.batch([Self.sleep(label)], deadline: .seconds(25)) }
                try await until(observer, Self.isSleeping(label))

                // The only connection is taken, so this one waits until its time is up.
                let late = await failure { try await pool.batch(["select 1"], deadline: .milliseconds(50)) }
                #expect(late?.kind == .deadlineExceeded)
                #expect(late?.outcomeIsUnknown == false)

                // Of three more, two fit; whichever is refused ends at once, the others when cancelled.
                await withTaskGroup(of: PostgresError.Kind?.self) { group in
                    for _ in 1...3 {
                        group.addTask {
                            await failure { try await pool.batch(["select 1"], deadline: .seconds(25)) }?.kind
                        }
                    }
                    #expect(await group.next() == .poolExhausted)
                    group.cancelAll()
                    for await kind in group { #expect(kind == .cancelled) }
                }
                blocking.cancel()
                #expect(await failure { try await blocking.value }?.kind == .cancelled)
                #expect(try await pool.value("select 3", as: Int.self) == 3)
            }
        }
    }

    @Test func `a task that is already cancelled runs nothing`() async throws {
        try await withPool { pool async throws in
            try await pool.run("create temp table marks (n int)")
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    #expect(await failure { try await pool.run("insert into marks values (1)") }?.kind == .cancelled)
                    let error = await failure {
                        try await pool.transaction(deadline: ample) { _ in Issue.record("the body must not run") }
                    }
                    #expect(error?.kind == .cancelled)
                }
            }
            #expect(try await pool.value("select count(*) from marks", as: Int.self) == 0)
        }
    }

    @Test func `a deadline that has passed runs nothing`() async throws {
        try await withPool { pool async throws in
            for deadline: Duration in [.zero, .seconds(-1)] {
                let error = await failure { try await pool.batch(["select 1"], deadline: deadline) }
                #expect(error?.kind == .deadlineExceeded)
            }
            #expect(try await pool.batch(["select 1"], deadline: .seconds(Int64.max)).count == 1)
        }
    }

    @Test func `a shutdown fails what is queued and waits for what runs`() async throws {
        try await withPool { observer async throws in
            try await withPool { pool async throws in
                let lock = Int.random(in: 0...Int.max)
                let running = try await observer.transaction(deadline: ample) { transaction async throws in
                    try await transaction.query("select pg_advisory_xact_lock(\(lock))")
                    let backend = try await pool.backend()
                    let running = Task {
                        try await pool.value("select 7, pg_advisory_xact_lock(\(lock))", as: Int.self)
                    }
                    try await until(
                        observer,
                        "select wait_event is not distinct from 'advisory' from pg_stat_activity where pid = \(backend)"
                    )
                    let queued = Task { try await pool.batch(["select 1"], deadline: .seconds(300)) }
                    // However the two come, the queued one is refused without waiting for the running one.
                    Task { await pool.shutdown() }
                    #expect(await failure { try await queued.value }?.kind == .closed)
                    return running
                }
                #expect(try await running.value == 7)
            }
        }
    }
}
