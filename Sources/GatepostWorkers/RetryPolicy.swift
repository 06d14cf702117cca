package import GatepostModel
package import GatepostOutbox

/// When a failed attempt is tried again.
package struct RetryPolicy: Sendable {
    /// The longest that a receiver's `Retry-After` is followed; a longer one may be a mistake or a trick.
    package static let retryAfterMax: Duration = .hours(24)
    /// How much of a delay is chance, above it: receivers that failed together are not tried together.
    package static let jitterFraction = 0.2

    /// The pauses between one attempt and the next.
    package struct Schedule: Sendable {
        let pauses: [Duration]
        /// The pause after the last of `pauses`; nil where no try is left then.
        let pauseAfterwards: Duration?

        /// Mail: soon and often at first, since a person waits, then hourly until the mail expires.
        package static let mail = Schedule(
            pauses: [
                .seconds(5), .seconds(20), .minutes(1), .minutes(2), .minutes(5), .minutes(10), .minutes(15),
                .minutes(30),
            ], pauseAfterwards: .hours(1))

        /// Webhooks: eleven tries, with a day before the last (Standard Webhooks' recommendation, stretched).
        package static let webhook = Schedule(
            pauses: [
                .seconds(5), .minutes(1), .minutes(5), .minutes(30), .hours(2), .hours(5), .hours(10), .hours(14),
                .hours(20), .hours(24),
            ], pauseAfterwards: nil)

        /// The pause after so many attempts; nil if no try is left.
        func pause(afterAttempts count: Int) -> Duration? {
            count >= 1 && count <= pauses.count ? pauses[count - 1] : pauseAfterwards
        }
    }

    private let random: any RandomSource

    /// Makes a policy whose jitter comes from this source.
    package init(random: any RandomSource) {
        self.random = random
    }

    /// The schedule of a kind; mail's unless it says otherwise.
    package func schedule(of kind: MessageKind) -> Schedule {
        kind.rawValue.hasPrefix("webhook.") ? .webhook : .mail
    }

    /// When a message is tried again.
    ///
    /// - Parameters:
    ///   - kind: Whose schedule it is.
    ///   - attempts: Attempts so far, with the one that has just failed.
    ///   - now: When that one failed.
    ///   - expiresAt: When the message expires.
    ///   - retryAfter: What the receiver asked for, if anything: a lower bound.
    /// - Returns: Nil if no try is left, because the schedule is over or the message expires first.
    package func nextTry(
        of kind: MessageKind, afterAttempts attempts: Int, at now: Instant, expiresAt: Instant,
        retryAfter: Duration? = nil
    ) -> Instant? {
        guard let pause = schedule(of: kind).pause(afterAttempts: attempts) else { return nil }
        let asked = min(retryAfter ?? .zero, Self.retryAfterMax)
        let next = now + max(jittered(pause), asked)
        return next < expiresAt ? next : nil
    }

    /// How long a route that fails is left alone before one message probes it: 5 s, 10 s, up to a minute.
    ///
    /// - Parameter count: How often it was left alone in a row, this time included.
    /// - Returns: The pause, with its jitter.
    package func pauseBeforeProbe(afterOpenings count: Int) -> Duration {
        jittered(min(.seconds(Int64(5) << min(max(count - 1, 0), 6)), .minutes(1)))
    }

    /// When a message is looked at again that could not be attempted, through no fault of the receiver.
    ///
    /// No try is lost, so the pause grows with the claims: 5 s, 10 s, up to 5 min.
    package func nextLook(afterClaims claims: Int, at now: Instant) -> Instant {
        let doublings = min(max(claims - 1, 0), 6)
        return now + min(jittered(.seconds(Int64(5) << doublings)), .minutes(5))
    }

    private func jittered(_ pause: Duration) -> Duration {
        .microseconds(Int64(Double(pause.microseconds) * (1 + Self.jitterFraction * random.fraction())))
    }
}
