import CoreMetrics
import Synchronization

/// The numbers of one series; whoever counts touches an atomic and nothing else.
protocol MetricCell: AnyObject, Sendable {
    init(of family: MetricFamily)
    /// Writes the samples of the series; nothing if the family hides what is untouched and this is.
    func write(_ family: MetricFamily, _ labels: [(name: String, value: String)], into text: inout MetricText)
}

/// A count that only grows.
final class CounterCell: MetricCell, CounterHandler {
    private let count = Atomic<Int64>(0)

    init(of family: MetricFamily) {}

    func increment(by amount: Int64) { _ = count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }

    func write(_ family: MetricFamily, _ labels: [(name: String, value: String)], into text: inout MetricText) {
        let count = count.load(ordering: .relaxed)
        guard count > 0 || family.showsUntouched else { return }
        text.add(family.name, labels, Double(count))
    }
}

/// A number that rises and falls.
final class GaugeCell: MetricCell, MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    init(of family: MetricFamily) {}

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func record(_ value: Int64) { set(value) }

    func record(_ value: Double) { set(value) }

    func increment(by amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let desired = (Double(bitPattern: known) + amount).bitPattern
            let (isDone, found) = bits.weakCompareExchange(expected: known, desired: desired, ordering: .relaxed)
            if isDone { return }
            known = found
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func write(_ family: MetricFamily, _ labels: [(name: String, value: String)], into text: inout MetricText) {
        text.add(family.name, labels, Double(bitPattern: bits.load(ordering: .relaxed)))
    }
}

/// How often something took how long; two atomic additions an observation.
final class HistogramCell: MetricCell, TimerHandler, RecorderHandler {
    /// An atomic in an array, which holds only what can be copied.
    private final class Count: Sendable {
        let value = Atomic<Int64>(0)
    }

    /// In nanoseconds, ascending.
    private let bounds: [Int64]
    /// One for each bound, and one for what lies beyond the last.
    private let counts: [Count]
    /// In nanoseconds: 292 years of observations.
    private let sum = Atomic<Int64>(0)

    init(of family: MetricFamily) {
        bounds = family.buckets.map { Int64($0 * 1e9) }
        counts = (0...family.buckets.count).map { _ in Count() }
    }

    func recordNanoseconds(_ duration: Int64) {
        let duration = max(duration, 0)
        // A dozen comparisons at most, and the usual ones are the first.
        let place = bounds.firstIndex { duration <= $0 } ?? bounds.count
        _ = counts[place].value.wrappingAdd(1, ordering: .relaxed)
        _ = sum.wrappingAdd(duration, ordering: .relaxed)
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Takes the unit of the family, seconds.
    func record(_ value: Double) { recordNanoseconds(Int64(min(max(value * 1e9, 0), 9e18))) }

    func write(_ family: MetricFamily, _ labels: [(name: String, value: String)], into text: inout MetricText) {
        let counts = counts.map { $0.value.load(ordering: .relaxed) }
        let total = counts.reduce(0, +)
        guard total > 0 || family.showsUntouched else { return }
        var soFar: Int64 = 0
        for (bound, count) in zip(family.buckets + [.infinity], counts) {
            soFar += count
            text.add(
                family.name + "_bucket", labels + [(name: "le", value: MetricText.number(bound))], Double(soFar))
        }
        text.add(family.name + "_sum", labels, Double(sum.load(ordering: .relaxed)) / 1e9)
        text.add(family.name + "_count", labels, Double(total))
    }
}
