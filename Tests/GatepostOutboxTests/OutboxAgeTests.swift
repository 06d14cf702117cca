@testable import GatepostOutbox
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// How old the oldest owed message is, as the metrics read it.
@Suite("Outbox: age", .ownDatabase, .showsSeed)
struct OutboxAgeTests {
    private func oldest(_ queue: Queue) async throws -> [Lane: Instant] {
        try await queue.database.system { $0.oldestOwed() }
    }

    @Test func `each lane is as old as what waits longest in it, and one that owes nothing has no age`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        #expect(try await oldest(queue) == [:])

        let begin = queue.clock.now
        try await queue.owe(3, by: app)
        let second = queue.clock.now
        try await queue.owe(1, by: try await queue.app(), lane: .bulk)

        #expect(try await oldest(queue) == [.interactive: begin, .bulk: second])
    }

    @Test func `a message that was tried in vain is as old as its request, however late the next try`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let begin = queue.clock.now
        try await queue.owe(1, by: app)
        let claimed = try #require(try await queue.claim(of: [app]).first)
        // Under its first lease it may arrive any moment.
        #expect(try await oldest(queue) == [:])

        queue.clock.advance(by: .minutes(10))
        let retry = Settlement(
            of: claimed, .waits(until: queue.clock.now + .hours(1)), attempt: queue.attempt(.transient),
            at: queue.clock.now)
        _ = try await queue.database.settle([retry])

        #expect(try await oldest(queue) == [.interactive: begin])
        _ = try await queue.promote()
        #expect(try await oldest(queue) == [.interactive: begin])
    }

    @Test func `what is held or scheduled waits on purpose`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let held = try await queue.owe(1, by: app)
        let scheduled = try await queue.owe(1, by: app)
        try await queue.database.batch(in: app.scope) { batch in
            batch.add("update outbox set held_at = \(queue.clock.now) where app_id = \(app.id) and id = \(held[0])")
            batch.add(
                """
                update outbox set ready = false, due_at = \(queue.clock.now + .hours(1))
                 where app_id = \(app.id) and id = \(scheduled[0])
                """)
        }

        #expect(try await oldest(queue) == [:])
    }

    @Test func `it reads the first entry of two indexes, whatever the statistics say`() async throws {
        let queue = try await Queue.make()
        try await queue.owe(20, by: try await queue.app())
        let superuser = try await TestDatabase.current.superuserPool()
        try await superuser.batch(["analyze outbox"], on: .exclusive, deadline: .seconds(20))

        let plan = try await plan(AgeStatements.oldest(), in: queue)
        #expect(plan.contains("using outbox_new") && plan.contains("using outbox_tried"), "\(plan)")
        #expect(Set(plan.matches(of: /using (\w+)/).map { String($0.1) }).count == 2, "\(plan)")
        #expect(!plan.contains("Seq Scan") && !plan.contains("Sort"), "\(plan)")
    }

    private func plan(_ statement: SQL, in queue: Queue) async throws -> String {
        try await queue.database.system { batch in
            batch.read("explain (costs off) \(statement)") { rows in
                try rows.map { try $0.get(0, as: String.self) }.joined(separator: "\n")
            }
        }
    }
}
