import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostStore
@testable import GatepostWorkers
import TestSupport

/// Workers: they start, claim, settle, stop and crash.
extension World {
    private func worker(_ fits: (SimulatedWorker) -> Bool) -> SimulatedWorker? { chosen(workers.filter(fits)) }

    func startWorker() async throws -> Bool {
        guard let worker = worker({ $0.outbox == nil }) else { return false }
        let handlers: [MessageKind: any Handler] = [
            VerificationMail.kind: wire, AccountExistsMail.kind: wire, WebhookNotice.kind: wire,
            SigningKeyRotation.kind: rotation,
        ]
        let seed = self.seed &+ UInt64(stepNumber) &* 0x9E37_79B9
        let outbox = OutboxWorker(
            database: database, clock: clock, random: SeededRandom(seed: seed), handlers: handlers,
            settings: WorkerSettings(deliverySlots: 8), logger: Self.noLogger)
        // As every worker does first: nobody knows what the ones before it have left behind.
        try await outbox.claimer.lookEverywhere(at: now)
        worker.outbox = outbox
        return true
    }

    func claim() async throws -> Bool {
        guard let worker = worker({ $0.outbox != nil && $0.inHand < SimulatedWorker.inHandMax }),
            let outbox = worker.outbox
        else { return false }
        // Rows of one instant come in no order; which script a message meets must not depend on that.
        let claimed = try await outbox.claim().sorted { Self.order($0) < Self.order($1) }
        for message in claimed { _ = messages.message(message.id, app: message.app, kind: message.kind.rawValue) }
        worker.claimed += claimed
        return true
    }

    /// By what a message says, but for what chance has put into its ids behind their time: who wins a race decides
    /// which of several ids is used.
    private static func order(_ message: ClaimedMessage) -> (Int64, String, String, String) {
        let payload = message.payload.replacing(/([0-9a-f]{8}-[0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/) {
            String($0.1)
        }
        return (message.createdAt.microseconds, message.kind.rawValue, message.route, payload)
    }

    func lookEverywhere() async throws -> Bool {
        guard let outbox = worker({ $0.outbox != nil })?.outbox else { return false }
        try await outbox.claimer.lookEverywhere(at: now)
        return true
    }

    func settle() async throws -> Bool {
        guard let worker = worker({ !$0.unsettled.isEmpty }), let outbox = worker.outbox else { return false }
        try await outbox.settle()
        noteSettled(worker)
        return true
    }

    /// The settlements are applied, but the answer is lost: the worker settles them once more.
    func settleTwice() async throws -> Bool {
        guard let worker = worker({ !$0.unsettled.isEmpty }), let outbox = worker.outbox else { return false }
        try await outbox.settle()
        for (settlement, _) in worker.unsettled { outbox.keep(settlement) }
        try await outbox.settle()
        noteSettled(worker)
        return true
    }

    private func noteSettled(_ worker: SimulatedWorker) {
        // What the fence refused is somebody else's now, so its result is lost.
        for (_, attempt) in worker.unsettled { attempt?.isLost = true }
        worker.unsettled = []
    }

    /// Postgres loses the transaction that settles; the worker dies too, or tries again later.
    func failInSettling(crashes: Bool) async throws -> Bool {
        let ends: (SimulatedWorker) -> Bool = { worker in
            worker.unsettled.contains { unsettled in
                if case .ended = unsettled.settlement.fate { true } else { false }
            }
        }
        guard let worker = worker(ends), let outbox = worker.outbox else { return false }
        try await witness.lightFuse()
        do {
            try await outbox.settle()
            // Everything it held was gone already, so nothing was written and nothing burnt.
            noteSettled(worker)
        } catch {}
        try await witness.putFuseOut()
        if crashes { await abandon(worker) }
        return true
    }

    func crash(where fits: (SimulatedWorker) -> Bool) async -> Bool {
        guard let worker = worker({ $0.outbox != nil && fits($0) }) else { return false }
        await abandon(worker)
        return true
    }

    /// The process is gone, and what it held in memory with it.
    ///
    /// A mail that was under way may have arrived.
    func abandon(_ worker: SimulatedWorker) async {
        for flight in worker.inFlight {
            flight.attempt.isLost = true
            if oneIn(2) { arrive(flight.message) }
            wire.answer(flight.message, .failedBeforeNetwork("the process has ended"))
            _ = await flight.news.next()
        }
        for (_, attempt) in worker.unsettled { attempt?.isLost = true }
        (worker.outbox, worker.claimed, worker.inFlight, worker.unsettled) = (nil, [], [], [])
    }

    /// The worker finishes what is in flight, settles, and gives the rest back.
    func stopWorker() async throws -> Bool {
        guard let worker = worker({ $0.outbox != nil }), let outbox = worker.outbox else { return false }
        while let flight = worker.inFlight.first { await end(flight, of: worker, .delivered) }
        for message in worker.claimed {
            let release = Settlement(of: message, .released, at: now)
            outbox.keep(release)
            worker.unsettled.append((release, nil))
        }
        try await outbox.settle()
        noteSettled(worker)
        (worker.outbox, worker.claimed) = (nil, [])
        return true
    }
}
