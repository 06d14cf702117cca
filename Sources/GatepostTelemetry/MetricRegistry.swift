package import CoreMetrics
import Synchronization

/// Keeps the numbers of this process and writes them down for Prometheus: the backend of swift-metrics.
///
/// Handed to whoever counts, not installed globally: so only our own families are shown, and two programs in one
/// process do not mix. Series are made at the start, under a lock; counting takes none.
package final class MetricRegistry: MetricsFactory, Sendable {
    /// The most series of one family; there are a few dozen routes, kinds or jobs.
    package static let seriesMax = 1000

    private struct Series {
        let labels: [(name: String, value: String)]
        let cell: any MetricCell
    }

    private let families: [MetricFamily]
    private let series = Mutex<[String: [Series]]>([:])
    private let sources = Mutex<[@Sendable () -> [MetricReading]]>([])

    /// Knows these families and no others.
    package init(families: [MetricFamily] = MetricFamily.all) {
        self.families = families
    }

    /// The media type of `text`.
    package static var contentType: String { MetricText.contentType }

    /// Asks somebody who keeps numbers of their own for them, each time that the metrics are written.
    package func add(_ source: @escaping @Sendable () -> [MetricReading]) {
        sources.withLock { $0.append(source) }
    }

    /// Everything as it is now, with what was read elsewhere.
    package func text(with readings: [MetricReading] = []) -> String {
        let series = series.withLock { $0 }
        let sources = sources.withLock { $0 }
        let read = Dictionary(grouping: readings + sources.flatMap { $0() }, by: \.family.name)
        var text = MetricText()
        for family in families {
            let own = series[family.name] ?? []
            let others = read[family.name] ?? []
            guard !own.isEmpty || !others.isEmpty else { continue }
            text.begin(family)
            for series in own { series.cell.write(family, series.labels, into: &text) }
            for reading in others { text.add(family.name, reading.labels, reading.value) }
        }
        return text.text
    }

    /// The counter of a family.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(CounterCell.self, .counter, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// The gauge of a family.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(GaugeCell.self, .gauge, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// The histogram of a family.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(HistogramCell.self, .histogram, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// The histogram or gauge of a family, in its unit.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return cell(HistogramCell.self, .histogram, label, dimensions) ?? NOOPMetricsHandler.instance }
        return cell(GaugeCell.self, .gauge, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// Does nothing: a series lasts as long as the process, since one that came and went would look like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    /// Does nothing, either.
    package func destroyMeter(_ handler: any MeterHandler) {}
    /// Does nothing, either.
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Does nothing, either.
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of these labels, made when it is first asked for.
    ///
    /// Nil for what no family declares, in name, type or labels: it is counted nowhere.
    private func cell<Cell: MetricCell>(
        _ type: Cell.Type, _ kind: MetricFamily.Kind, _ name: String, _ dimensions: [(String, String)]
    ) -> Cell? {
        guard let family = families.first(where: { $0.name == name }), family.kind == kind,
            family.labels == dimensions.map(\.0)
        else { return nil }
        return series.withLock { series in
            let known = series[name] ?? []
            if let same = known.first(where: { $0.labels.map(\.value) == dimensions.map(\.1) }) {
                return same.cell as? Cell
            }
            guard known.count < Self.seriesMax else { return nil }
            let cell = Cell(of: family)
            let labels = dimensions.map { (name: $0.0, value: $0.1) }
            series[name, default: []].append(Series(labels: labels, cell: cell))
            return cell
        }
    }
}

/// A number that was read elsewhere, such as in the database, to be shown beside this process's own.
package struct MetricReading: Sendable {
    /// What it is.
    package let family: MetricFamily
    let labels: [(name: String, value: String)]
    /// The number.
    package let value: Double

    /// States a number; there is a value for each of the family's labels.
    package init(_ family: MetricFamily, _ values: String..., is value: Double) {
        self.family = family
        self.value = value
        labels = zip(family.labels, values).map { (name: $0, value: $1) }
    }
}
