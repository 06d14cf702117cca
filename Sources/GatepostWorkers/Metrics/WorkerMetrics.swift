package import CoreMetrics
import GatepostModel
import GatepostOutbox
import GatepostTelemetry

/// What a worker counts: attempts, ends, retries, and how long they took.
///
/// All series are made at the start; counting is a look-up in a dictionary that never changes, and atomics.
package struct WorkerMetrics: Sendable {
    /// What stands for kinds that this version does not know.
    private static let otherKind = "other"

    private let kinds: [MessageKind: KindMetrics]
    private let others: KindMetrics
    private let claimToSettle: [Lane: CoreMetrics.Timer]

    /// Counts nowhere.
    package static let uncounted = WorkerMetrics(NOOPMetricsHandler.instance)

    /// Makes the series.
    package init(_ factory: any MetricsFactory) {
        kinds = Dictionary(
            MessageKind.known.map { ($0, KindMetrics($0.rawValue, factory)) }, uniquingKeysWith: { $1 })
        others = KindMetrics(Self.otherKind, factory)
        claimToSettle = Dictionary(
            uniqueKeysWithValues: Lane.allCases.map { lane in
                let labels = [("lane", lane.rawValue)]
                return (lane, .init(label: MetricFamily.claimToSettle.name, dimensions: labels, factory: factory))
            })
    }

    /// Counts a settlement that Postgres has stored.
    func count(_ settlement: Settlement, under lease: Duration, at now: Instant) {
        let metrics = kinds[settlement.kind] ?? others
        let claimedAt = settlement.leaseEnd - lease
        claimToSettle[settlement.lane]?.recordNanoseconds((now - claimedAt).microseconds * 1000)
        if let attempt = settlement.attempt {
            metrics.attempts[attempt.outcome]?.increment()
            if attempt.outcome == .delivered {
                let time = attempt.endedAt - settlement.createdAt
                metrics.acceptance.recordNanoseconds(time.microseconds * 1000)
            }
        }
        switch settlement.fate {
        case .ended(let end, _): metrics.ends[end]?.increment()
        case .waits where settlement.attempt != nil: metrics.retries.increment()
        case .waits, .released: metrics.putOff.increment()
        }
    }

    /// Counts a message that its handler has settled itself, in the transaction of its work.
    ///
    /// A handler does so where it writes Postgres alone; and the one of webhooks, where the endpoint is gone.
    func countSettledByHandler(_ message: ClaimedMessage, under lease: Duration, at now: Instant) {
        let metrics = kinds[message.kind] ?? others
        claimToSettle[message.lane]?.recordNanoseconds((now - (message.leaseEnd - lease)).microseconds * 1000)
        guard message.kind == WebhookNotice.kind else {
            metrics.ends[.delivered]?.increment()
            return
        }
        metrics.attempts[.permanent]?.increment()
        metrics.ends[.rejected]?.increment()
    }
}

/// The series of one kind of message.
private struct KindMetrics: Sendable {
    let attempts: [AttemptOutcome: Counter]
    let ends: [MessageEnd: Counter]
    let retries: Counter
    let putOff: Counter
    let acceptance: CoreMetrics.Timer

    init(_ kind: String, _ factory: any MetricsFactory) {
        func counter(_ family: MetricFamily, _ labels: [(String, String)] = []) -> Counter {
            Counter(label: family.name, dimensions: [("kind", kind)] + labels, factory: factory)
        }
        attempts = Dictionary(
            uniqueKeysWithValues: AttemptOutcome.allCases.map {
                ($0, counter(.attempts, [("outcome", $0.rawValue)]))
            })
        ends = Dictionary(
            uniqueKeysWithValues: MessageEnd.allCases.map { ($0, counter(.ends, [("outcome", $0.rawValue)])) })
        retries = counter(.retries)
        putOff = counter(.putOff)
        acceptance = .init(label: MetricFamily.acceptance.name, dimensions: [("kind", kind)], factory: factory)
    }
}
