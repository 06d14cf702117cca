import CoreMetrics
import Foundation
import GatepostModel
import GatepostTelemetry
import Passwords

extension PasswordHasher {
    /// As many threads as the machine has cores, unless an operator says otherwise.
    convenience init(_ configuration: Configuration, metrics: MetricRegistry) {
        let wait = CoreMetrics.Timer(label: MetricFamily.hashWait.name, factory: metrics)
        let refusals = Counter(label: MetricFamily.hashRefusals.name, factory: metrics)
        self.init(
            threads: configuration.passwordHashThreads ?? ProcessInfo.processInfo.activeProcessorCount,
            queueMax: configuration.passwordHashQueue,
            onWait: { wait.recordNanoseconds($0.microseconds * 1000) }, onRefusal: { refusals.increment() })
    }
}
