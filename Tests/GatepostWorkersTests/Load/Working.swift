import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Logging
import Postgres
import ServiceLifecycle
import TestSupport

/// Runs `body` beside workers in a service group, which is shut down gracefully unless `body` has done so.
func withService(
    _ workers: OutboxWorker..., body: @Sendable (ServiceGroup) async throws -> Void
) async throws {
    let group = ServiceGroup(services: workers, logger: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        do {
            try await body(group)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

extension TestApp {
    /// Owes so many people who have an account a mail each, all at this instant, in two statements.
    ///
    /// Each has an address of its own, so a mail is known by its recipient: `p1@crowd.example`, `p2@crowd.example` …
    func oweMails(_ count: Int, lane: Lane = .interactive, lives: Duration = .hours(24)) async throws {
        let now = clock.now
        let owing: [SQL] = [
            """
            insert into users (app_id, id, email, email_entered, email_verified_at, state, auth_epoch, created_at)
            select \(id), gen_random_uuid(), address, address, \(now)::timestamptz, 'active', 0, \(now)::timestamptz
              from generate_series(1, \(count)) as n, concat('p', n, '@crowd.example') as address
            """,
            """
            insert into outbox (app_id, id, kind, lane, route, user_id, ready, due_at, expires_at, payload, created_at)
            select app_id, gen_random_uuid(), \(AccountExistsMail.kind.rawValue)::text, \(lane)::text,
                   \(OutboxMessage.mailRoute)::text, id, true, \(now)::timestamptz, \(now + lives)::timestamptz, '{}',
                   \(now)::timestamptz
              from users where app_id = \(id) and email like '%@crowd.example'
            """,
        ]
        try await TestDatabase.current.withSuperuser {
            _ = try await $0.batch(owing, on: .exclusive, deadline: .seconds(60))
        }
    }

    /// A number that the superuser reads, past every policy.
    func number(_ statement: SQL) async throws -> Int {
        try await TestDatabase.current.withSuperuser { pool in
            let results = try await pool.batch(["select (\(statement))::bigint as number"], deadline: .seconds(30))
            return try results.first?.first?.get("number", as: Int.self) ?? 0
        }
    }
}
