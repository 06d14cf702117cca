import GatepostOutbox

/// The kinds of destinations, by which a worker's breaker is reported: endpoints are too many to be named one by one.
package enum RouteKind: String, Sendable, CaseIterable {
    /// A mail route.
    case mail
    /// A webhook endpoint.
    case webhook
    /// A route of a version that this one does not know.
    case other

    /// The kind of a route; nil for one that leads nowhere outside.
    init?(_ route: String) {
        guard route != OutboxMessage.localRoute else { return nil }
        if route == OutboxMessage.mailRoute {
            self = .mail
        } else {
            self = route.hasPrefix(OutboxMessage.webhookRoutePrefix) ? .webhook : .other
        }
    }
}

/// What a worker's breaker has come to, for an operator's metrics.
package struct BreakerReport: Sendable {
    /// The figures of one kind of route.
    package struct Counts: Sendable, Hashable {
        /// Routes that stand open now: their messages wait for a probe.
        package var open = 0
        /// How often a route opened after it had worked, since the worker's start.
        package var openings = 0
        /// Attempts that probed an open route.
        package var probes = 0
        /// Messages that were told to wait, because their route was open or had its share; each may count many times.
        package var turnedAway = 0

        /// All of them nought.
        package init() {}
    }

    private let counts: [RouteKind: Counts]

    init(_ counts: [RouteKind: Counts]) {
        self.counts = counts
    }

    /// The figures of a kind.
    package subscript(_ kind: RouteKind) -> Counts { counts[kind] ?? Counts() }
}
