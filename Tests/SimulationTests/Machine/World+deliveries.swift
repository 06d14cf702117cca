import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostWorkers

/// Deliveries: they begin, and end as their script says.
extension World {
    func beginDelivery() async -> Bool {
        guard let worker = chosen(workers.filter { !$0.claimed.isEmpty }), let outbox = worker.outbox else {
            return false
        }
        let message = worker.claimed.removeFirst()
        var news = wire.begin(message, by: outbox)
        switch await news.next() {
        case .started:
            let attempt = noteStarted(message)
            worker.inFlight.append(SimulatedWorker.Flight(message, attempt, news))
        case .ended(let settlement):
            keep(settlement, of: worker, attempt: nil)
        case nil:
            differ("a delivery ended without a word")
        }
        return true
    }

    /// An attempt starts: it must be the only one, of the same message as any before it.
    @discardableResult
    func noteStarted(_ claimed: ClaimedMessage) -> AttemptModel {
        let message = messages.message(claimed.id, app: claimed.app, kind: claimed.kind.rawValue)
        if let endedAt = message.endedAt {
            breach(.nothingAfterTheEnd, "\(claimed.kind) of \(claimed.createdAt) ended at \(endedAt)")
        }
        for earlier in message.attempts where !earlier.isLost && now < earlier.leaseEnd {
            guard earlier.outcome == nil || earlier.outcome == .delivered else { continue }
            breach(.noNeedlessDuplicate, "\(claimed.kind) of \(claimed.createdAt) is sent again without need")
        }
        let content = MessageContent(claimed)
        if let first = message.content, first != content {
            breach(.noNeedlessDuplicate, "\(claimed.kind) of \(claimed.createdAt) is sent again as another message")
        }
        message.content = content
        let attempt = AttemptModel(startedAt: now, leaseEnd: claimed.leaseEnd)
        message.attempts.append(attempt)
        return attempt
    }

    /// A delivery that is under way ends; nil for what turns out to be obsolete.
    func endDelivery(_ outcome: AttemptResult.Outcome?) async -> Bool {
        guard let worker = chosen(workers.filter { !$0.inFlight.isEmpty }), let flight = chosen(worker.inFlight) else {
            return false
        }
        await end(flight, of: worker, outcome)
        return true
    }

    func end(_ flight: SimulatedWorker.Flight, of worker: SimulatedWorker, _ outcome: AttemptResult.Outcome?) async {
        worker.inFlight.removeAll { $0 === flight }
        guard let outcome else {
            flight.attempt.isLost = true
            wire.answer(flight.message, .ended(.obsolete, reason: "simulated"))
            return keep(await settlement(of: flight), of: worker, attempt: flight.attempt)
        }
        flight.attempt.outcome = AttemptOutcome(rawValue: outcome.rawValue)
        if outcome == .delivered || (outcome == .indeterminate && oneIn(2)) { arrive(flight.message) }
        wire.answer(flight.message, .attempt(AttemptResult(outcome, code: 250, reply: outcome.rawValue)))
        keep(await settlement(of: flight), of: worker, attempt: flight.attempt)
    }

    private func settlement(of flight: SimulatedWorker.Flight) async -> Settlement? {
        guard case .ended(let settlement) = await flight.news.next() else { return nil }
        return settlement
    }

    private func keep(_ settlement: Settlement?, of worker: SimulatedWorker, attempt: AttemptModel?) {
        guard let settlement else { return }
        worker.outbox?.keep(settlement)
        worker.unsettled.append((settlement, attempt))
    }

    /// A mail reaches its mailbox.
    func arrive(_ message: ClaimedMessage) {
        guard message.kind == VerificationMail.kind, let flow = message.flowID else { return }
        signUps[flow]?.hasMail = true
    }
}
