package import GatepostModel

/// What is to become of one claimed message.
package struct Settlement: Sendable {
    /// Where the message goes from here.
    package enum Fate: Sendable, Hashable {
        /// It leaves the outbox.
        case ended(MessageEnd, reason: String?)
        /// It waits for another try.
        case waits(until: Instant)
        /// It is handed back: due at once, and no try is lost.
        case released
    }

    /// Which message is meant, in which claim: a worker whose lease ran out settles nothing.
    package let app: AppID
    package let message: MessageID
    package let claimNumber: Int32
    /// What the message is, for whoever counts.
    package let kind: MessageKind
    package let lane: Lane
    package let createdAt: Instant
    package let leaseEnd: Instant
    /// Attempts before this claim.
    ///
    /// Together with the claim number the fence: a settlement that was applied, but whose answer got lost, is not
    /// applied twice.
    let attemptCount: Int32
    package let fate: Fate
    /// Nil where nothing reached the network.
    package let attempt: Attempt?
    package let at: Instant

    /// Decides the fate of a claimed message.
    package init(of message: ClaimedMessage, _ fate: Fate, attempt: Attempt? = nil, at now: Instant) {
        (app, self.message, claimNumber) = (message.app, message.id, message.claimNumber)
        (attemptCount, self.fate, self.attempt, at) = (message.attemptCount, fate, attempt, now)
        (kind, lane, createdAt, leaseEnd) = (message.kind, message.lane, message.createdAt, message.leaseEnd)
    }

    private init(of other: Settlement, _ fate: Fate, attempt: Attempt?) {
        (app, message, claimNumber) = (other.app, other.message, other.claimNumber)
        (attemptCount, self.fate, self.attempt, at) = (other.attemptCount, fate, attempt, other.at)
        (kind, lane, createdAt, leaseEnd) = (other.kind, other.lane, other.createdAt, other.leaseEnd)
    }

    /// Why a message ended whose settlement Postgres would not store.
    package static let refusedReason = "settlement_refused"

    /// The same settlement with nothing in it that came from outside, and an end.
    ///
    /// For one that Postgres refused for its data: the message would otherwise be due again, and sent again, each time
    /// its lease ends.
    package var plain: Settlement {
        let end: MessageEnd =
            switch (fate, attempt?.outcome) {
            case (.ended(let end, _), _): end
            case (_, .delivered): .delivered
            case (_, .permanent): .rejected
            case (_, .indeterminate): .indeterminate
            case (_, .transient), (_, nil): .exhausted
            }
        let plainAttempt = attempt.map {
            Attempt(outcome: $0.outcome, code: nil, reply: "(could not be stored)", startedAt: at, endedAt: at)
        }
        return Settlement(of: self, .ended(end, reason: Self.refusedReason), attempt: plainAttempt)
    }
}
