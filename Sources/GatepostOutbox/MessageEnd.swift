/// What became of a message: the one end that stands in `deliveries`.
package enum MessageEnd: String, Sendable, CaseIterable, Codable {
    /// The receiver took it.
    case delivered
    /// The receiver refused it for good.
    case rejected
    /// No try is left.
    case exhausted
    /// Its time was over before it could be attempted.
    case expired
    /// What it was about no longer stands; the reason says what changed.
    case obsolete
    /// It must not be sent: the address or the app is blocked.
    case suppressed
    /// Somebody took it back.
    case cancelled
    /// No try is left, and nobody knows whether the last one arrived.
    case indeterminate
}
