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
    }
}
