package import GatepostDelivery
package import GatepostModel
package import GatepostOutbox

/// The code for one kind of message.
package protocol Handler: Sendable {
    /// Does what the message asks for, or finds that it must not be done.
    ///
    /// Everything is checked here and now, at send time: between owing and sending, the flow may have been used, the
    /// user deactivated, the address changed. Errors become results: the worker knows what to do with each.
    ///
    /// - Parameters:
    ///   - message: The message, held by this worker for longer than the deadline.
    ///   - deadline: How long it may take in all.
    /// - Returns: What came of it.
    func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult
}

/// What handling a message came to.
package enum HandlerResult: Sendable {
    /// Something was sent, or an attempt to was made.
    case attempt(AttemptResult)
    /// Nothing was sent and nothing will be.
    case ended(Refusal, reason: String)
    /// The handler settled the message itself, in the transaction of its work.
    case settled
    /// It is not time yet: to be looked at again from then on. No try is lost.
    case waits(until: Instant)
    /// It could not even be tried, for a reason of ours; the words go to the log. No try is lost.
    case failedBeforeNetwork(String)

    /// Why nothing will be sent.
    package enum Refusal: Sendable {
        /// What the message was about no longer stands.
        case obsolete
        /// It must not be sent.
        case suppressed
    }
}
