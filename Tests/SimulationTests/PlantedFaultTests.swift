import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
@testable import TestSupport
import Testing

/// The checker finds what is planted: a check that cannot fail checks nothing.
@Suite("Simulation: planted faults")
struct PlantedFaultTests {
    /// Something that must not happen, done past the product.
    struct Fault: Sendable {
        let name: String
        let promise: Promise
        let statements: [SQL]

        init(_ name: String, _ promise: Promise, _ statements: SQL...) {
            (self.name, self.promise, self.statements) = (name, promise, statements)
        }
    }

    /// Turns the witness's triggers off, so that only the look at the whole database can find a fault.
    static let unseen: SQL = "set local session_replication_role = replica"

    static let faults = [
        Fault(
            "an owed message is deleted", .noMessageIsLost,
            "delete from outbox where ctid = (select min(ctid) from outbox)"),
        Fault(
            "an owed message is deleted unseen", .noMessageIsLost, unseen,
            "delete from outbox where ctid = (select min(ctid) from outbox)"),
        Fault(
            "a message ends twice", .oneEnd,
            """
            insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                    ended_at)
            select app_id, id, kind, lane, route, 'delivered', 1, payload, created_at, ended_at + interval '1 minute'
              from deliveries limit 1
            """),
        Fault(
            "a message ends and is owed still", .oneEnd, unseen,
            """
            insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                    ended_at)
            select app_id, id, kind, lane, route, 'delivered', 1, payload, created_at, created_at from outbox limit 1
            """),
        Fault(
            "an attempt starts after the end", .nothingAfterTheEnd,
            """
            insert into delivery_attempts (app_id, message_id, claim_number, outcome, reply, started_at, ended_at)
            select app_id, id, 99, 'delivered', '', ended_at + interval '1 minute', ended_at + interval '2 minutes'
              from deliveries limit 1
            """),
        Fault(
            "an audit event is deleted", .eventsStay,
            "delete from audit_events where ctid = (select min(ctid) from audit_events where kind = 'sign_in.passed')"),
        Fault(
            "an audit event is deleted unseen", .eventsStay, unseen,
            "delete from audit_events where ctid = (select min(ctid) from audit_events where kind = 'sign_in.passed')"),
        Fault(
            "a user changes without an event", .eachChangeHasItsEvent,
            """
            update users set state = 'deactivated', deactivated_at = created_at, auth_epoch = auth_epoch + 1
             where ctid = (select min(ctid) from users where state = 'active')
            """),
        Fault(
            "a session has no event", .eachChangeHasItsEvent, unseen,
            "update audit_events set kind = 'session.lost' where kind = 'session.started'"),
        Fault(
            "a code is redeemed twice", .nothingRedeemedTwice,
            """
            update authorization_codes set redeemed_at = redeemed_at + interval '1 second'
             where ctid = (select min(ctid) from authorization_codes where redeemed_at is not null)
            """),
        Fault(
            "a link passes twice", .nothingRedeemedTwice,
            """
            update flows set state = 'passed', ended_at = ended_at + interval '1 second'
             where ctid = (select min(ctid) from flows where state = 'passed')
            """),
        Fault(
            "a refresh token is exchanged after its end", .nothingExpiredAccepted,
            """
            update refresh_tokens set used_at = expires_at, successor_hash = '\\x00'
             where ctid = (select min(ctid) from refresh_tokens where used_at is null)
            """),
        Fault(
            "a session comes back to life", .theDeadStayDead,
            """
            update sessions set ended_at = null, end_reason = null
             where ctid = (select min(ctid) from sessions where ended_at is not null)
            """),
        Fault(
            "an event names a user of another app", .noRowOfAnotherApp, unseen,
            """
            update audit_events
               set user_id = (select u.id from users as u where u.app_id <> audit_events.app_id limit 1)
             where ctid = (select min(ctid) from audit_events where kind = 'token.refreshed')
            """),
        Fault(
            "an app may read every user", .noRowOfAnotherApp,
            "create policy users_of_all on users for select to gatepost_app using (true)"),
    ]

    /// One world lives for a while; each fault is planted in a copy of its database.
    @Test func `the checker names every planted fault`() async throws {
        let name = try await TestCluster.shared.makeDatabase()
        let pool = try await TestCluster.shared.pool(of: name)
        let test = TestDatabase(name: name, pool: pool, database: Database(pool: pool))
        let world = try await World(seed: 7, on: test)
        try await world.run(3000)
        #expect(world.breaches.map(\.description) == [])
        await world.close()
        await pool.shutdown()

        for fault in Self.faults {
            let copy = try await TestCluster.shared.makeDatabase(template: name)
            let promises = try await promisesBroken(by: fault, in: world, on: copy)
            #expect(promises.contains(fault.promise), "\(fault.name): \(promises.map(\.rawValue))")
            try await TestCluster.shared.drop(copy)
        }
        try await TestCluster.shared.drop(name)
    }

    @Test func `the model names what it sees for itself`() async throws {
        try await TestDatabase.withOwn { test in
            let world = try await World(seed: 11, on: test)
            var claimed: [ClaimedMessage] = []
            while claimed.isEmpty, world.stepNumber < 2000 {
                await world.step()
                claimed = world.workers.flatMap(\.claimed)
            }
            let message = try #require(claimed.first)
            world.noteStarted(message)
            #expect(world.breaches.map(\.promise) == [])
            world.noteStarted(message)
            #expect(world.breaches.map(\.promise) == [.noNeedlessDuplicate])
            world.breaches = []
            world.clock.advance(by: .hours(1))
            world.messages.byID[message.id]?.end("cancelled", at: world.now)
            world.clock.advance(by: .seconds(1))
            world.noteStarted(message)
            #expect(world.breaches.map(\.promise) == [.nothingAfterTheEnd])

            world.breaches = []
            let (app, person) = try #require(world.anybody { !$0.signUps.isEmpty })
            let signUp = try #require(person.signUps.last)
            signUp.state = .passed
            let user: UserID = .make(at: world.now, random: world.random)
            world.note(.verified(user), of: signUp, by: person, in: app, stands: false, orElse: .invalidLink)
            #expect(world.breaches.map(\.promise) == [.nothingRedeemedTwice])
            await world.close()
        }
    }

    private func promisesBroken(by fault: Fault, in world: World, on copy: String) async throws -> Set<Promise> {
        let pool = try await TestCluster.shared.pool(of: copy)
        let superuser = try await TestCluster.shared.pool(of: copy, as: nil)
        (world.database, world.superuser) = (Database(pool: pool), superuser)
        world.witness = Witness(superuser: superuser)
        let (witnessed, messages) = (world.witnessed, world.messages)

        try await superuser.transaction(deadline: .seconds(10)) { transaction in
            for statement in fault.statements {
                let changed = try await transaction.query(statement).affectedCount
                let isSetting = ["set", "create"].contains { statement.text.hasPrefix($0) }
                #expect(changed > 0 || isSetting, "\(fault.name) found nothing to spoil")
            }
        }
        try await world.readWitness()
        try await world.checkWhole()

        let promises = Set(world.breaches.map(\.promise))
        (world.breaches, world.witnessed, world.messages) = ([], witnessed, messages)
        await pool.shutdown()
        await superuser.shutdown()
        return promises
    }
}
