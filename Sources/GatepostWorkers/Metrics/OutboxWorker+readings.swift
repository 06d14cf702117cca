package import GatepostTelemetry

extension OutboxWorker {
    /// What the worker keeps itself: how its destinations are, and whether it settles in time.
    ///
    /// Read when somebody scrapes. A breaker is one destination's, and there may be thousands of endpoints, so they are
    /// counted by kind and not named.
    package var readings: [MetricReading] {
        let (breakers, settled) = (breakerReport, settleCounts)
        return RouteKind.allCases.flatMap { kind in
            let counts = breakers[kind]
            return [
                MetricReading(.breakersOpen, kind.rawValue, is: Double(counts.open)),
                MetricReading(.breakerOpenings, kind.rawValue, is: Double(counts.openings)),
                MetricReading(.breakerProbes, kind.rawValue, is: Double(counts.probes)),
                MetricReading(.breakerTurnedAway, kind.rawValue, is: Double(counts.turnedAway)),
            ]
        } + [
            MetricReading(.settlements, "settled", is: Double(settled.settled)),
            MetricReading(.settlements, "cancelled", is: Double(settled.cancelled)),
            MetricReading(.settlements, "lost", is: Double(settled.lost)),
        ]
    }
}
