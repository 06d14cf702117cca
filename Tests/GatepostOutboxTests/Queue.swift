import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport

/// The queue of a test's own database: apps, messages, claims.
struct Queue {
    let database: Database
    let clock: TestClock
    let random = SeededRandom()

    static func make() async throws -> Queue {
        Queue(database: try await TestDatabase.current.database, clock: TestClock())
    }

    func app() async throws -> TestApp { try await TestApp.make(in: database, clock: clock) }

    /// A message that is due now.
    func message(
        lane: Lane = .interactive, lives: Duration = .hours(1), uniqueKey: String? = nil
    ) -> OutboxMessage {
        var message = OutboxMessage(
            id: .make(at: clock.now, random: random), kind: VerificationMail.kind, lane: lane,
            route: OutboxMessage.mailRoute, createdAt: clock.now, expiresAt: clock.now + lives)
        message.uniqueKey = uniqueKey
        return message
    }

    /// Owes messages, a millisecond between one and the next, and returns their ids in that order.
    @discardableResult
    func owe(_ count: Int, by app: TestApp, lane: Lane = .interactive) async throws -> [MessageID] {
        var ids: [MessageID] = []
        for _ in 0..<count {
            let message = message(lane: lane)
            try await database.batch(in: app.scope) { $0.enqueue(message) }
            ids.append(message.id)
            clock.advance(by: .milliseconds(1))
        }
        return ids
    }

    /// Claims from apps, in their order.
    func claim(
        _ lane: Lane = .interactive, of apps: [TestApp], rowsPerApp: Int = 100, lease: Duration = .seconds(60)
    ) async throws -> [ClaimedMessage] {
        let turns = apps.map { AppTurn(app: $0.id, floor: TestClock.start) }
        return try await database.system {
            $0.claim(lane, of: turns, rowsPerApp: rowsPerApp, leaseEnd: clock.now + lease)
        }
    }

    func promote(since floor: Instant? = nil) async throws -> Int {
        try await database.system { $0.promoteDue(since: floor, at: clock.now) }
    }

    func attempt(_ outcome: AttemptOutcome, code: Int32? = 250, reply: String = "250 ok") -> Attempt {
        Attempt(outcome: outcome, code: code, reply: reply, startedAt: clock.now, endedAt: clock.now)
    }

    func delivered(_ message: ClaimedMessage) -> Settlement {
        Settlement(of: message, .ended(.delivered, reason: nil), attempt: attempt(.delivered), at: clock.now)
    }
}
