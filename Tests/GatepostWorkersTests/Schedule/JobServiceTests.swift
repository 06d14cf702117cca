import GatepostModel
import GatepostStore
import GatepostWorkers
import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite("Job service", .ownDatabase)
struct JobServiceTests {
    /// Time passes when the service waits for the next minute, and stands still after five of them.
    @Test func `each minute is looked at once, and a graceful shutdown ends the service`() async throws {
        let jobs = try ["0 9 * * *", "1 9 * * *", "3 9 * * *", "9 9 * * *"].enumerated().map(Self.job)
        try await JobFixture.with { fixture in
            let clock = fixture.clock
            let waits = Mutex<[Duration]>([])
            let (enough, enoughReached) = AsyncStream<Void>.makeStream()
            let (never, neverEnds) = AsyncStream<Void>.makeStream()
            let runner = JobRunner(
                database: fixture.database, catalog: JobCatalog(jobs: jobs), clock: clock,
                logger: Logger(label: "test") { _ in NoLog() },
                pause: { wait in
                    let count = waits.withLock { waits in
                        waits.append(wait)
                        return waits.count
                    }
                    if count < 5 { return clock.advance(by: wait) }
                    enoughReached.finish()
                    for await _ in never {}
                })
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: runner)], logger: Logger(label: "test") { _ in NoLog() }))

            async let running: Void = group.run()
            for await _ in enough {}
            await group.triggerGracefulShutdown()
            try await running
            neverEnds.finish()

            #expect(waits.withLock { $0 } == Array(repeating: .seconds(60), count: 5))
            #expect(
                try await fixture.texts(
                    "select job || to_char(due_at at time zone 'UTC', ' HH24:MI:SS') from job_runs order by 1")
                    == ["count-none-0 09:00:00", "count-none-1 09:01:00", "count-none-2 09:03:00"])
            let unfinished = try await fixture.execute("select job from job_runs where finished_at is null")
            #expect(unfinished.isEmpty)
        }
    }

    private static func job(_ number: Int, at schedule: String) throws -> JobFile {
        try JobFile(
            name: "count-none-\(number)",
            text: """
                -- Handles no row.
                --
                -- Its runs are counted.
                --
                -- schedule: \(schedule)
                -- batch:    1
                -- timeout:  5 seconds

                select id as app_id from apps limit :batch - 1;
                """)
    }
}
