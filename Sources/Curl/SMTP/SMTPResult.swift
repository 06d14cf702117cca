/// What became of one try to hand a mail to a relay.
package struct SMTPResult: Sendable {
    /// The kinds of end.
    package enum Outcome: Hashable, Sendable {
        /// The relay has taken the mail.
        case accepted
        /// The relay said 4xx: later, perhaps.
        case deferred
        /// The relay said 5xx: not this mail.
        case rejected
        /// The whole body had been sent and no reply came: the relay may or may not have the mail.
        case unknown
        /// The relay does not have the mail, and said nothing about it.
        case failed
        /// Nothing was tried; `reachedNetwork` is false.
        case notStarted(Reason)
    }

    /// Why nothing was tried.
    package enum Reason: Hashable, Sendable {
        /// As many mails wait as the pool takes.
        case queueFull
        /// The deadline passed while the mail waited for a connection.
        case deadline
        /// The calling task was cancelled while the mail waited.
        case cancelled
        /// The pool has been shut down.
        case shutDown
        /// The relay's settings cannot be used.
        case settings
    }

    /// Whether the relay has the mail, as far as can be known; it decides whether another try may double it.
    package let outcome: Outcome
    /// How libcurl saw the end.
    package let curlCode: CurlCode
    /// The reply's code, nil if none came.
    package let replyCode: Int?
    /// The reply that decided: the refusal if there was one, else the last; its lines are joined by spaces.
    ///
    /// It is what the server sent, at most `SMTPReplies.textBytesMax` bytes: not to be trusted as text.
    package let reply: String
    /// Whether anything was tried on the network.
    package let reachedNetwork: Bool
    /// Whether the relay failed as a whole, and not this mail: the next one would fare the same.
    ///
    /// No connection, no reply, a reply before the mail was spoken of (greeting, `EHLO`, TLS, login), or 421, by which
    /// a server takes its leave (RFC 5321, section 3.8).
    package let isRelayFailing: Bool

    static func notStarted(_ reason: Reason) -> SMTPResult {
        SMTPResult(
            outcome: .notStarted(reason), curlCode: .ok, replyCode: nil, reply: "", reachedNetwork: false,
            isRelayFailing: false)
    }
}
