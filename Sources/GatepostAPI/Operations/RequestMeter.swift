import CoreMetrics
import GatepostTelemetry
import Hummingbird
import Synchronization

/// Counts requests by route and class of status, and measures them.
///
/// Not Hummingbird's own middleware, which looks its series up under one lock for all requests and makes a series for
/// each method and status that a caller thinks of. Here all series are made when the routes are known: a request costs
/// one look-up in a dictionary that never changes, and three atomic additions.
final class RequestMeter: Sendable {
    /// The series of one route.
    private struct Series: Sendable {
        /// By the hundreds of the status; the first is for requests that broke off.
        let counters: [Counter]
        let timer: CoreMetrics.Timer

        init(method: String, route: String, _ factory: any MetricsFactory) {
            let labels = [("method", method), ("route", route)]
            counters = ["broken", "1xx", "2xx", "3xx", "4xx", "5xx"].map { status in
                Counter(
                    label: MetricFamily.httpRequests.name, dimensions: labels + [("status", status)], factory: factory)
            }
            timer = .init(label: MetricFamily.httpDuration.name, dimensions: labels, factory: factory)
        }
    }

    private final class Table: Sendable {
        let byRoute: [String: [HTTPRequest.Method: Series]]

        init(_ byRoute: [String: [HTTPRequest.Method: Series]]) {
            self.byRoute = byRoute
        }
    }

    private let factory: any MetricsFactory
    private let table = AtomicLazyReference<Table>()
    /// Paths that do not exist and methods that a path does not take.
    private let unrouted: Series

    init(_ factory: any MetricsFactory) {
        self.factory = factory
        unrouted = Series(method: "-", route: "-", factory)
    }

    /// Makes the series; to be called once, with all routes.
    ///
    /// HEAD counts as GET.
    func prepare(_ routes: [(method: HTTPRequest.Method, path: String)]) {
        var series: [String: [HTTPRequest.Method: Series]] = [:]
        for route in routes where route.method != .head {
            series[route.path, default: [:]][route.method] = Series(
                method: route.method.rawValue, route: route.path, factory)
        }
        _ = table.storeIfNil(Table(series))
    }

    /// Counts a request; without a status, one that broke off.
    func count(_ method: HTTPRequest.Method, _ path: String?, status: Int?, _ time: Duration) {
        let ofRoute = path.flatMap { table.load()?.byRoute[$0] }
        let series = ofRoute?[method == .head ? .get : method] ?? unrouted
        series.counters[min(max((status ?? 0) / 100, 0), 5)].increment()
        let (seconds, attoseconds) = time.components
        series.timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
