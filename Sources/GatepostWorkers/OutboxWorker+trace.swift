import GatepostModel
import GatepostOutbox
import Logging

extension OutboxWorker {
    /// Delivers a message as a span of the trace that owed it, and writes a line on what came of it.
    ///
    /// What is logged and owed meanwhile carries the trace, and a webhook's request does.
    func deliverTraced(_ message: ClaimedMessage) async -> Settlement? {
        let span = TraceContext(ofAttempt: message.claimNumber, at: message.id, continuing: message.trace)
        return await span.covering {
            let upshot = await upshot(of: message)
            tell(message, upshot)
            return upshot.settlement
        }
    }

    private func tell(_ message: ClaimedMessage, _ upshot: Upshot) {
        if case .settledByHandler = upshot {
            metrics.countSettledByHandler(message, under: settings.lease, at: clock.now)
        }
        guard logger.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "app.id": "\(message.app)", "message.id": "\(message.id)", "message.kind": "\(message.kind)",
            "claim.number": "\(message.claimNumber)",
        ]
        if let flow = message.flowID { metadata["flow.id"] = "\(flow)" }
        let settlement: Settlement
        switch upshot {
        case .settle(let found): settlement = found
        case .settledByHandler: return logger.info("handled", metadata: metadata)
        case .notOurs: return logger.info("not attempted, no longer this worker's", metadata: metadata)
        }
        switch settlement.fate {
        case .ended(let end, let reason):
            metadata["message.end"] = "\(end.rawValue)"
            if let reason { metadata["message.end_reason"] = "\(reason)" }
        case .waits(let until):
            metadata["message.due_at"] = "\(until)"
        case .released:
            metadata["message.due_at"] = "\(settlement.at)"
        }
        guard let attempt = settlement.attempt else {
            logger.debug("not attempted", metadata: metadata)
            return
        }
        // The receiver's words stay in the ledger: they may hold the address.
        metadata["attempt.outcome"] = "\(attempt.outcome.rawValue)"
        if let code = attempt.code { metadata["attempt.code"] = "\(code)" }
        metadata["duration_us"] = "\((attempt.endedAt - attempt.startedAt).microseconds)"
        logger.info("attempt", metadata: metadata)
    }
}
