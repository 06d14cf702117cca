/// What one try on the wire came to.
///
/// The words are the receiver's own, made harmless: an operator reads them in the ledger.
package struct AttemptResult: Sendable, Hashable {
    /// The kinds of end of a try.
    package enum Outcome: String, Sendable {
        /// The receiver has taken it.
        case delivered
        /// Not now; another try makes sense.
        case transient
        /// Not this message, ever.
        case permanent
        /// Everything was sent and no answer came: the receiver may or may not have it.
        case indeterminate
    }

    /// The longest reply that is kept, in characters.
    package static let replyLengthMax = 500

    /// Decides whether there is another try.
    package let outcome: Outcome
    /// The receiver's code: an SMTP reply or an HTTP status; nil where none came.
    package let code: Int?
    /// The receiver's words, or ours where it said nothing: printable ASCII.
    package let reply: String
    /// When the receiver wants to be asked again.
    package let retryAfter: Duration?
    /// Whether anything was tried on the network; if not, no try is lost.
    package let reachedNetwork: Bool
    /// Whether the destination failed as a whole, and not this message: the next one would fare the same.
    package let isDestinationFailing: Bool

    /// Describes a try; the reply is shortened, and what is not printable ASCII becomes `?`.
    package init(
        _ outcome: Outcome, code: Int?, reply: String, retryAfter: Duration? = nil, reachedNetwork: Bool = true,
        isDestinationFailing: Bool = false
    ) {
        (self.outcome, self.code, self.retryAfter, self.reachedNetwork) = (outcome, code, retryAfter, reachedNetwork)
        self.isDestinationFailing = isDestinationFailing
        let printable = reply.unicodeScalars.prefix(Self.replyLengthMax).map { scalar in
            (0x20...0x7E).contains(scalar.value) ? Character(scalar) : "?"
        }
        self.reply = String(printable)
    }
}
