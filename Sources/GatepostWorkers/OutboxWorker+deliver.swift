import GatepostDelivery
import GatepostModel
package import GatepostOutbox
import Logging

extension OutboxWorker {
    /// What is to become of a message that a worker has had in hand.
    enum Upshot {
        case settle(Settlement)
        /// Its handler settled it, in the transaction of its work.
        case settledByHandler
        /// Somebody took it back, or another worker has it.
        case notOurs

        /// What is left to be settled.
        var settlement: Settlement? {
            if case .settle(let settlement) = self { settlement } else { nil }
        }
    }

    /// Delivers one claimed message and says what is to become of it; nil if nothing is: its handler settled it itself,
    /// or it is no longer this worker's.
    package func deliver(_ message: ClaimedMessage) async -> Settlement? {
        await upshot(of: message).settlement
    }

    /// Delivers one claimed message.
    func upshot(of message: ClaimedMessage) async -> Upshot {
        let now = clock.now
        guard now < message.expiresAt else {
            return .settle(Settlement(of: message, .ended(.expired, reason: nil), at: now))
        }
        // A delivery that outlasts its lease may be sent by another worker at the same time.
        guard message.leaseEnd - now > settings.deliveryDeadline else {
            return .settle(Settlement(of: message, .released, at: now))
        }
        guard let handler = handlers[message.kind] else {
            logger.error("no handler for a message", metadata: ["kind": "\(message.kind)"])
            return .settle(putOff(message, at: now))
        }
        switch breaker.admit(message, at: now) {
        case .turnedAway(let until):
            return .settle(Settlement(of: message, .waits(until: until), at: now))
        case .pass(let pass):
            if let unfit = await unfit(message, at: now) {
                _ = breaker.end(pass, .untried, at: now)
                return unfit.settlement.map(Upshot.settle) ?? .notOurs
            }
            let result = await handler.handle(message, deadline: settings.deliveryDeadline)
            tell(breaker.end(pass, RouteState.Verdict(result), at: clock.now), of: message, after: result)
            let settlement = settlement(of: message, after: result, startedAt: now, endedAt: clock.now)
            return settlement.map(Upshot.settle) ?? .settledByHandler
        }
    }

    /// A message that may not be attempted after all, and its fate: none where it is not this worker's.
    private struct Unfit {
        let settlement: Settlement?
    }

    /// Looks once more: somebody may have cancelled or held it since its claim, and no attempt starts after the end.
    private func unfit(_ message: ClaimedMessage, at now: Instant) async -> Unfit? {
        do {
            switch try await claimer.standing(of: message) {
            case .standing:
                // The look may have taken its time, and what outlasts its lease is sent by another worker, too.
                guard message.leaseEnd - clock.now > settings.deliveryDeadline else {
                    return Unfit(settlement: Settlement(of: message, .released, at: clock.now))
                }
                return nil
            case .held: return Unfit(settlement: Settlement(of: message, .released, at: now))
            case nil: return Unfit(settlement: nil)
            }
        } catch {
            tellUnattempted(message, "\(error)")
            return Unfit(settlement: putOff(message, at: now))
        }
    }

    private func settlement(
        of message: ClaimedMessage, after result: HandlerResult, startedAt: Instant, endedAt now: Instant
    ) -> Settlement? {
        switch result {
        case .attempt(let result) where !result.reachedNetwork && result.outcome == .permanent:
            tellUnattempted(message, result.reply)
            return Settlement(of: message, .ended(.rejected, reason: "cannot_be_sent"), at: now)
        case .attempt(let result) where !result.reachedNetwork:
            tellUnattempted(message, result.reply)
            return putOff(message, at: now)
        case .attempt(let result):
            let attempt = Attempt(result, startedAt: startedAt, endedAt: now)
            let fate = fate(after: attempt.outcome) {
                policy.nextTry(
                    of: message.kind, afterAttempts: Int(message.attemptCount) + 1, at: now,
                    expiresAt: message.expiresAt, retryAfter: result.retryAfter)
            }
            return Settlement(of: message, fate, attempt: attempt, at: now)
        case .ended(.obsolete, let reason):
            return Settlement(of: message, .ended(.obsolete, reason: reason), at: now)
        case .ended(.suppressed, let reason):
            return Settlement(of: message, .ended(.suppressed, reason: reason), at: now)
        case .settled:
            return nil
        case .waits(let until):
            return Settlement(of: message, .waits(until: until), at: now)
        case .failedBeforeNetwork(let words):
            tellUnattempted(message, words)
            return putOff(message, at: now)
        }
    }

    private func tellUnattempted(_ message: ClaimedMessage, _ words: String) {
        logger.warning(
            "a message could not be attempted",
            metadata: ["message.id": "\(message.id)", "kind": "\(message.kind)", "error": "\(words)"])
    }

    /// Says once that a destination fails, and once that it works again.
    private func tell(_ change: RouteState.Change?, of message: ClaimedMessage, after result: HandlerResult) {
        switch change {
        case .opened(let probeAt):
            var metadata: Logger.Metadata = ["route": "\(message.route)", "probe_at": "\(probeAt)"]
            if case .attempt(let result) = result {
                // The receiver's words stay in the ledger: they may hold the address.
                metadata["error"] = "\(result.code.map { "code \($0)" } ?? "\(result.outcome)")"
            }
            logger.warning("a destination fails, its messages wait", metadata: metadata)
        case .closed:
            logger.notice("a destination works again", metadata: ["route": "\(message.route)"])
        case nil:
            break
        }
    }

    private func putOff(_ message: ClaimedMessage, at now: Instant) -> Settlement {
        let next = policy.nextLook(afterClaims: Int(message.claimNumber), at: now)
        return Settlement(of: message, .waits(until: next), at: now)
    }

    /// What becomes of a message; the next try is only drawn where there may be one.
    private func fate(after outcome: AttemptOutcome, nextTry: () -> Instant?) -> Settlement.Fate {
        switch outcome {
        case .delivered: .ended(.delivered, reason: nil)
        case .permanent: .ended(.rejected, reason: nil)
        case .transient: nextTry().map(Settlement.Fate.waits) ?? .ended(.exhausted, reason: nil)
        case .indeterminate: nextTry().map(Settlement.Fate.waits) ?? .ended(.indeterminate, reason: nil)
        }
    }
}

extension RouteState.Verdict {
    /// What handling a message says of its destination.
    fileprivate init(_ result: HandlerResult) {
        self =
            switch result {
            case .attempt(let result) where !result.reachedNetwork: .untried
            case .attempt(let result): result.isDestinationFailing ? .failed : .answered
            // A handler that sends settles by itself only what was answered: an endpoint that said 410.
            case .settled: .answered
            case .ended, .waits, .failedBeforeNetwork: .untried
            }
    }
}
