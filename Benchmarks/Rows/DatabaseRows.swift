import GatepostModel
import GatepostOutbox
import GatepostStore

extension Benchmark {
    /// Tasks in a closed loop, as so many requests under way.
    private static let tasks = 32

    static let transaction = Benchmark(name: "transaction") { site, pace in
        let pgbench = try await site.pgbench { try await transact(in: $1, of: $0) }
        let comparison = try await site.withDatabase { database in
            let scope = try await site.scope()
            return try await site.compare(
                at: pace,
                {
                    try await Loop.rate(tasks: tasks, seconds: pace.seconds) {
                        try await transact(in: scope, of: database)
                    }
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "pipelined transaction of 4 statements", "/s", comparison, limitIs: "pgbench", must: .atLeast(0.75),
                note: """
                    Database.batch on 8 connections, \(tasks) tasks: spend a limit, update a user, owe a message, \
                    record an event. pgbench runs the same statements, recorded from the server's log.
                    """)
        ]
    }

    static let read = Benchmark(name: "read") { site, pace in
        // Made beforehand: reading an address is not reading a row.
        let addresses = (0..<Site.userCount).compactMap { EmailAddress(Site.address(ofUser: Site.firstUser + $0)) }
        @Sendable func lookUp(_ scope: AppScope, _ database: Database) async throws {
            let address = addresses[Int.random(in: addresses.indices)]
            guard try await database.batch(in: scope, { $0.user(email: address) }) != nil else {
                throw Program.Failed(description: "a user was not found")
            }
        }
        let pgbench = try await site.pgbench { try await lookUp($1, $0) }
        let comparison = try await site.withDatabase { database in
            let scope = try await site.scope()
            return try await site.compare(
                at: pace,
                {
                    try await Loop.rate(tasks: tasks, seconds: pace.seconds) { try await lookUp(scope, database) }
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "single-row read", "/s", comparison, limitIs: "pgbench", must: .atLeast(0.70),
                note: """
                    Database.batch on 8 connections, \(tasks) tasks: one of \(Site.userCount) users by address, \
                    decoded. The select that sets role and scope goes with it, in pgbench too.
                    """)
        ]
    }

    /// The transaction: four statements that flows are made of, without the secrets that they derive.
    private static func transact(in scope: AppScope, of database: Database) async throws {
        let (now, random) = (HostClock().now, SystemRandom())
        let user: UserID = Site.id(ofUser: Site.anyUser())
        let message = OutboxMessage(
            id: .make(at: now, random: random), kind: VerificationMail.kind, lane: .interactive,
            route: OutboxMessage.mailRoute, createdAt: now, expiresAt: now + .hours(1))
        let event = AuditEvent(
            .signUpStarted, by: .anyone, id: .make(at: now, random: random), at: now, origin: .none, userID: user)
        let subject = String(UInt64.random(in: 0..<UInt64.max))
        _ = try await database.batch(in: scope) { batch in
            let verdict = batch.spend(RateLimit("benchmark", tries: 5, per: .hours(1)), for: subject, at: now)
            batch.raiseEpoch(of: user)
            batch.enqueue(message)
            batch.record(event)
            return verdict
        }
    }
}
