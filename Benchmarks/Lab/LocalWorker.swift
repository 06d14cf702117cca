import Foundation
import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Logging
import Synchronization

/// Ends every message at once, as obsolete, and takes note of when it was handed over.
final class EndingHandler: Handler {
    /// One message that was handed over: how long after it was owed.
    struct Pickup: Sendable {
        let app: AppID
        let at: Instant
        let milliseconds: Double
    }

    private struct State {
        var count = 0
        var pickups: [Pickup] = []
    }

    private let noted: AppID?
    private let state = Mutex(State())

    /// Makes a handler.
    ///
    /// - Parameter app: Whose pickups are kept; all are counted.
    init(noting app: AppID? = nil) {
        noted = app
    }

    /// How many messages were handed over.
    var count: Int { state.withLock { $0.count } }

    /// Takes the pickups that were noted since the last call.
    func takePickups() -> [Pickup] {
        state.withLock { state in
            defer { state.pickups = [] }
            return state.pickups
        }
    }

    func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        let now = HostClock().now
        state.withLock { state in
            state.count += 1
            guard message.app == noted else { return }
            let milliseconds = (now - message.createdAt) / .milliseconds(1)
            state.pickups.append(Pickup(app: message.app, at: now, milliseconds: milliseconds))
        }
        return .ended(.obsolete, reason: "benchmark")
    }
}

/// What a worker delivers with, as `gatepost work` puts it together.
struct LocalWorker: Sendable {
    let handlers: [MessageKind: any Handler]
    var slots = Configuration().outboxSlots
    var signal = OutboxSignal()

    /// Runs `body` while a worker works in this process, on Swift's own threads as in `gatepost work`.
    func running<Output>(on database: Database, _ body: () async throws -> Output) async throws -> Output {
        let worker = OutboxWorker(
            database: database, clock: HostClock(), random: SystemRandom(), handlers: handlers,
            settings: WorkerSettings(deliverySlots: slots), signal: signal, logger: Logger(label: "gatepost"))
        let running = Task { await worker.run() }
        let result: Result<Output, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        running.cancel()
        await running.value
        return try result.get()
    }
}

/// Messages that are owed at an even rate, each in the transaction of nothing else.
struct Stream: Sendable {
    /// Transactions a second; each owes its share.
    private static let transactionsPerSecond = 100

    let database: Database
    let scope: AppScope
    let perSecond: Int

    /// Owes messages until the time is over.
    ///
    /// - Parameters:
    ///   - time: For how long.
    ///   - make: The message of a number, from 0, owed at a moment.
    ///   - committed: Called after each transaction with the numbers of its messages.
    /// - Returns: How many were owed; fewer than asked for where the database did not keep up.
    /// - Throws: `PostgresError`.
    @discardableResult
    func run(
        for time: Duration, _ make: (_ number: Int, _ now: Instant) -> OutboxMessage,
        committed: (Range<Int>) -> Void = { _ in }
    ) async throws -> Int {
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        while clock.now - start < time {
            let due = Int((clock.now - start) / .seconds(1) * Double(perSecond))
            if due > count {
                let numbers = count..<min(due, count + perSecond)
                let now = HostClock().now
                try await database.batch(in: scope) { batch in
                    for number in numbers { batch.enqueue(make(number, now)) }
                }
                committed(numbers)
                count = numbers.upperBound
            }
            try await Task.sleep(for: .seconds(1) / Self.transactionsPerSecond)
        }
        return count
    }
}

extension OutboxMessage {
    /// A message that nobody delivers.
    static func local(in lane: Lane, at now: Instant) -> OutboxMessage {
        OutboxMessage(
            id: .make(at: now, random: SystemRandom()), kind: Site.localKind, lane: lane,
            route: OutboxMessage.localRoute, createdAt: now, expiresAt: now + .hours(1))
    }
}
