package import CoreMetrics
import GatepostOutbox
import GatepostTelemetry

/// How many destinations a worker leaves alone at present, by kind of route: mail relays, webhook endpoints.
///
/// A breaker is one destination's, and there may be thousands of endpoints, so they are counted and not named.
package struct BreakerMetrics: Sendable {
    private enum RouteKind: String, CaseIterable {
        case mail, webhook
    }

    private let open: [RouteKind: Meter]
    private let openings: [RouteKind: Counter]

    /// Makes the series.
    package init(_ factory: any MetricsFactory) {
        open = Dictionary(
            uniqueKeysWithValues: RouteKind.allCases.map { kind in
                let labels = [("route", kind.rawValue)]
                return (kind, Meter(label: MetricFamily.breakersOpen.name, dimensions: labels, factory: factory))
            })
        openings = Dictionary(
            uniqueKeysWithValues: RouteKind.allCases.map { kind in
                let labels = [("route", kind.rawValue)]
                return (kind, Counter(label: MetricFamily.breakerOpenings.name, dimensions: labels, factory: factory))
            })
    }

    /// Takes note that a route's breaker has opened; `route` as the message has it.
    package func opened(_ route: String) {
        let kind = Self.kind(of: route)
        open[kind]?.increment()
        openings[kind]?.increment()
    }

    /// Takes note that a route's breaker has closed, or is forgotten.
    package func closed(_ route: String) {
        open[Self.kind(of: route)]?.decrement()
    }

    private static func kind(of route: String) -> RouteKind {
        route.hasPrefix(OutboxMessage.webhookRoutePrefix) ? .webhook : .mail
    }
}
