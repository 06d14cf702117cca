package import GatepostModel
package import GatepostTelemetry

/// What watches a server: where it counts, who knows whether it is ready, and the chance in its traces' ids.
package struct Observation: Sendable {
    let meter: RequestMeter
    let readiness: Readiness
    let random: any RandomSource

    /// Wires it; without a registry nothing is shown.
    package init(
        metrics: MetricRegistry = MetricRegistry(), readiness: Readiness, random: any RandomSource = SystemRandom()
    ) {
        (self.readiness, self.random) = (readiness, random)
        meter = RequestMeter(metrics)
    }
}
