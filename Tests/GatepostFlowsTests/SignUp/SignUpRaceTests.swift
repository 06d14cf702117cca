import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import Synchronization
import TestSupport
import Testing

/// Sign-ups that meet in the database and not only at the start of a test.
///
/// They are held at a lock until all of them wait, each with its hash computed. A database of its own, because the
/// waiters are counted.
@Suite("Sign-up: meeting in the database", .ownDatabase, .showsSeed)
struct SignUpRaceTests {
    @Test func `of sign-ups that meet over a waiting address one flow stands, and its mail is the one owed`()
        async throws
    {
        // Story: each refused the flow that stood before, and neither saw the other's new one, so that both stood.
        let test = try await TestFlows.make()
        let ada = try EmailAddress.of("ada@example.com")
        let first = try await test.signUp(ada)

        let signUps = try await TestDatabase.current.withSuperuser { admin in
            try await admin.transaction(deadline: .seconds(60)) { holder in
                try await holder.query("select from flows where id = \(first.flow) for update")
                try await holder.query("select from users for update")
                let signUps = Task { try await race(3) { try await test.signUp(ada) } }
                // Bounded by the holder's deadline.
                var waiterCount: Int64 = 0
                while waiterCount < 3 {
                    // Of this database: other tests wait for locks, too. Not by the holder: a transaction sees the
                    // sessions of its first look (`pg_stat_activity` is a snapshot), and most begin after it.
                    let results = try await admin.batch(
                        [
                            """
                            select count(*) as count from pg_locks as l join pg_stat_activity as a using (pid)
                             where not l.granted and a.datname = current_database()
                            """
                        ], deadline: .seconds(20))
                    waiterCount = try #require(results.first?.first).get("count")
                }
                return signUps
            }
        }
        #expect(try await signUps.value.count == 3)

        let standing = try await test.read("select id from flows where state = 'pending'") {
            try $0.get("id", as: FlowID.self)
        }
        #expect(standing.count == 1)
        #expect(try await test.app.ledger().map(\.flowID) == standing)
    }

    @Test func `sign-ups and clicks that race over one address never lock each other out`() async throws {
        let test = try await TestFlows.make()
        let ada = try EmailAddress.of("ada@example.com")
        let first = try await test.signUp(ada)
        let link = try test.link(of: first.flow)
        let turn = Atomic(0)

        let verified = try await race(12) {
            if turn.add(1, ordering: .relaxed).newValue % 3 == 0 {
                _ = try await test.signUp(ada)
                return false
            }
            let outcome = try await test.flows.verification.confirm(
                link, startedBy: first.token, in: test.scope, from: TestFlows.origin)
            return outcome.verifiedUser != nil
        }

        #expect(verified.count(where: \.self) <= 1)
        let states = try await test.read("select state from flows where state = 'pending' and user_id is not null") {
            try $0.get("state", as: String.self)
        }
        #expect(states.count <= 1)
    }
}
