import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Outbox: claim", .ownDatabase, .showsSeed)
struct OutboxClaimTests {
    @Test func `a claim takes the oldest of each app, and no more than it asks for`() async throws {
        let queue = try await Queue.make()
        let (one, other) = (try await queue.app(), try await queue.app())
        let first = try await queue.owe(5, by: one)
        let second = try await queue.owe(2, by: other)

        let claimed = try await queue.claim(of: [one, other], rowsPerApp: 3)

        #expect(claimed.filter { $0.app == one.id }.map(\.id) == Array(first.prefix(3)))
        #expect(claimed.filter { $0.app == other.id }.map(\.id) == second)
        #expect(claimed.allSatisfy { $0.claimNumber == 1 && $0.attemptCount == 0 })
    }

    @Test func `a claim takes nothing of another lane, of another app, or from before the floor`() async throws {
        let queue = try await Queue.make()
        let (one, other) = (try await queue.app(), try await queue.app())
        try await queue.owe(1, by: one, lane: .bulk)
        try await queue.owe(1, by: other)
        try await queue.owe(1, by: one)
        let turns = [AppTurn(app: one.id, floor: queue.clock.now)]

        let claimed = try await queue.database.system {
            $0.claim(.interactive, of: turns, rowsPerApp: 10, leaseEnd: queue.clock.now + .seconds(60))
        }

        #expect(claimed.isEmpty)
    }

    @Test func `racing claimers share the messages and none gets one twice`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let owed = try await queue.owe(60, by: app)

        let claims = try await race(8) { try await queue.claim(of: [app], rowsPerApp: 10) }
        let rest = try await queue.claim(of: [app])

        let ids = claims.flatMap { $0.map(\.id) } + rest.map(\.id)
        #expect(ids.count == owed.count)
        #expect(Set(ids) == Set(owed))
    }

    @Test func `a claimed message is nobody else's until its lease ends`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        let first = try #require(try await queue.claim(of: [app], lease: .seconds(60)).first)

        queue.clock.set(first.leaseEnd - .microseconds(1))
        #expect(try await queue.promote() == 0)
        #expect(try await queue.claim(of: [app]).isEmpty)

        queue.clock.set(first.leaseEnd)
        #expect(try await queue.promote() == 1)
        let second = try #require(try await queue.claim(of: [app]).first)
        #expect(second.id == first.id)
        #expect(second.claimNumber == 2)
        #expect(second.readyAt == first.leaseEnd)
    }

    @Test func `a held message is neither claimed nor discovered nor promoted`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        try await queue.owe(1, by: app)
        try await queue.database.batch(in: app.scope) {
            $0.add("update outbox set held_at = \(queue.clock.now) where app_id = \(app.id)")
        }

        let (discovered, looked) = try await queue.database.system { batch in
            batch.discover(.interactive, since: TestClock.start, at: queue.clock.now)
                .and(batch.lookForApps(.interactive))
        }

        #expect(discovered.turns.isEmpty)
        #expect(looked.isEmpty)
        #expect(try await queue.claim(of: [app]).isEmpty)
        queue.clock.advance(by: .hours(1))
        #expect(try await queue.promote() == 0)
    }

    @Test func `a discovery names each app once, with its oldest fresh row`() async throws {
        let queue = try await Queue.make()
        let (one, other) = (try await queue.app(), try await queue.app())
        try await queue.owe(2, by: one)
        let floor = queue.clock.now
        try await queue.owe(3, by: one)
        let otherFirst = queue.clock.now
        try await queue.owe(2, by: other)

        let found = try await queue.database.system {
            $0.discover(.interactive, since: floor, at: queue.clock.now)
        }

        #expect(Set(found.turns) == [AppTurn(app: one.id, floor: floor), AppTurn(app: other.id, floor: otherFirst)])
        #expect(found.rowCount == 5)
        #expect(found.lastReadyAt == otherFirst + .milliseconds(1))
    }

    @Test func `a full look finds the apps whose rows lie before every floor`() async throws {
        let queue = try await Queue.make()
        let apps = [try await queue.app(), try await queue.app(), try await queue.app()]
        for app in apps { try await queue.owe(2, by: app) }
        try await queue.owe(1, by: apps[0], lane: .notice)
        queue.clock.advance(by: .hours(5))

        let found = try await queue.database.system { $0.lookForApps(.interactive) }

        #expect(found.map(\.app) == apps.map(\.id).sorted())
    }

    @Test func `a mail that is asked for after the claim is owed as a successor`() async throws {
        let queue = try await Queue.make()
        let app = try await queue.app()
        let ada = try #require(EmailAddress("ada@example.com"))
        let first = try await app.signUp(ada)
        let claimed = try await queue.claim(of: [app])
        queue.clock.advance(by: .seconds(5))

        let second = try await app.signUp(ada)

        #expect(claimed.map(\.flowID) == [first.flow])
        #expect(try await queue.claim(of: [app]).map(\.flowID) == [second.flow])
    }
}
