@testable import GatepostOutbox
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A message that merges beside a claim: two sessions, each before the other has committed.
@Suite("Outbox: merge beside a claim", .ownDatabase, .showsSeed)
struct OutboxMergeRaceTests {
    /// Why a claim is taken back.
    private struct Undone: Error {}

    /// Waits until a statement of this database waits for another transaction.
    private func untilSomebodyWaits() async throws {
        try await TestDatabase.current.withSuperuser { pool in
            var isWaiting = false
            while !isWaiting {
                let results = try await pool.batch(
                    [
                        """
                        select exists (select from pg_stat_activity
                                        where datname = current_database() and wait_event_type = 'Lock') as is_waiting
                        """
                    ], deadline: .seconds(10))
                isWaiting = try results.first?.first?.get("is_waiting", as: Bool.self) ?? false
            }
        }
    }

    @Test(arguments: [true, false])
    func `an insert that waits for a claim becomes a successor if the claim commits, and merges if it is undone`(
        isUndone: Bool
    ) async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let first = queue.message(uniqueKey: "verification 1")
        try await queue.database.batch(in: app.scope) { $0.enqueue(first) }
        queue.clock.advance(by: .seconds(1))
        var second = queue.message(uniqueKey: "verification 1")
        second.payload = #"{"newest": true}"#
        let claim = ClaimStatements.claim(
            .interactive, of: [AppTurn(app: app.id, floor: TestClock.start)], rowsPerApp: 10,
            leaseEnd: queue.clock.now + .seconds(60))

        try await withThrowingTaskGroup(of: Void.self) { [second] tasks in
            do {
                try await queue.database.systemTransaction { transaction in
                    #expect(try await transaction.query(claim).count == 1)
                    tasks.addTask { try await queue.database.batch(in: app.scope) { $0.enqueue(second) } }
                    try await untilSomebodyWaits()
                    if isUndone { throw Undone() }
                }
            } catch is Undone {}
            try await tasks.waitForAll()
        }

        let left = try await queue.claim(of: [app])
        #expect(left.map(\.id) == [isUndone ? first.id : second.id])
        #expect(left.map(\.payload) == [#"{"newest": true}"#])
        #expect(left.map(\.claimNumber) == [1])
        #expect(try await app.ledger().count == (isUndone ? 1 : 2))
    }

    @Test func `a claim steps over a message that is just being merged, and the next one has the newest`() async throws
    {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let first = queue.message(uniqueKey: "verification 1")
        try await queue.database.batch(in: app.scope) { $0.enqueue(first) }
        var second = queue.message(uniqueKey: "verification 1")
        second.payload = #"{"newest": true}"#

        try await queue.database.transaction(in: app.scope) { [second] transaction in
            try await transaction.enqueue(second)
            #expect(try await queue.claim(of: [app]).isEmpty)
        }

        let claimed = try await queue.claim(of: [app])
        #expect(claimed.map(\.id) == [first.id])
        #expect(claimed.map(\.payload) == [#"{"newest": true}"#])
    }
}
