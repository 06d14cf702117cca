package import GatepostModel

/// What one attempt came to.
package enum AttemptOutcome: String, Sendable, CaseIterable, Codable {
    /// The receiver took the message.
    case delivered
    /// It did not, and may later.
    case transient
    /// It did not and never will.
    case permanent
    /// The connection was lost after everything had been sent.
    case indeterminate
}

/// One try at a message that reached the network, as `delivery_attempts` keeps it.
package struct Attempt: Sendable, Hashable {
    /// How much of the receiver's words is kept, in characters.
    package static let replyLengthMax = 1000

    /// What the ledger counts by.
    package let outcome: AttemptOutcome
    /// The receiver's code: an SMTP reply or an HTTP status; nil where none came.
    package let code: Int32?
    /// The receiver's own words, or what went wrong before there were any.
    package let reply: String
    package let startedAt: Instant
    package let endedAt: Instant

    /// Records a try; the reply is shortened, and a NUL, which Postgres cannot keep, is left out.
    package init(outcome: AttemptOutcome, code: Int32?, reply: String, startedAt: Instant, endedAt: Instant) {
        (self.outcome, self.code, self.startedAt, self.endedAt) = (outcome, code, startedAt, endedAt)
        self.reply = String(reply.filter { $0 != "\u{0}" }.prefix(Self.replyLengthMax))
    }
}
