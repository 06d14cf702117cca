import CoreMetrics
import GatepostTelemetry
import Testing

@Suite("Metric registry")
struct MetricRegistryTests {
    let registry = MetricRegistry()

    private func counter(_ family: MetricFamily, _ labels: [(String, String)]) -> Counter {
        Counter(label: family.name, dimensions: labels, factory: registry)
    }

    @Test func `a counter is shown with its help, its type and its labels`() {
        counter(.retries, [("kind", "mail.verification")]).increment(by: 3)

        #expect(
            registry.text() == """
                # HELP gatepost_outbox_retries_total Attempts after which a message waits for another one.
                # TYPE gatepost_outbox_retries_total counter
                gatepost_outbox_retries_total{kind="mail.verification"} 3

                """)
    }

    @Test func `the same labels are the same series, whoever asks for them`() {
        counter(.retries, [("kind", "a")]).increment()
        counter(.retries, [("kind", "a")]).increment()
        counter(.retries, [("kind", "b")]).increment()

        #expect(registry.text().contains(#"{kind="a"} 2"#))
        #expect(registry.text().contains(#"{kind="b"} 1"#))
    }

    @Test func `a histogram's buckets add up, and a bound belongs to its bucket`() {
        let timer = CoreMetrics.Timer(
            label: MetricFamily.databaseWait.name, dimensions: [("pool", "shared")], factory: registry)
        for nanoseconds in [100_000, 100_001, 4_000_000_000, 6_000_000_000, -5] {
            timer.recordNanoseconds(Int64(nanoseconds))
        }

        let name = "gatepost_database_wait_seconds"
        let lines = registry.text().split(separator: "\n")
        #expect(lines.contains(#"\#(name)_bucket{pool="shared",le="0.0001"} 2"#))
        #expect(lines.contains(#"\#(name)_bucket{pool="shared",le="0.0005"} 3"#))
        #expect(lines.contains(#"\#(name)_bucket{pool="shared",le="5"} 4"#))
        #expect(lines.contains(#"\#(name)_bucket{pool="shared",le="+Inf"} 5"#))
        #expect(lines.contains(#"\#(name)_count{pool="shared"} 5"#))
        #expect(lines.contains(#"\#(name)_sum{pool="shared"} 10.000200001"#))
    }

    @Test func `a gauge rises and falls`() {
        let meter = Meter(label: MetricFamily.breakersOpen.name, dimensions: [("route", "mail")], factory: registry)
        meter.increment(by: 2)
        meter.decrement()

        #expect(registry.text().contains(#"gatepost_breakers_open{route="mail"} 1"#))
        meter.set(0.25)
        #expect(registry.text().contains(#"gatepost_breakers_open{route="mail"} 0.25"#))
    }

    @Test func `what no family declares is counted nowhere`() {
        counter(.retries, [("app", "app_1")]).increment()
        counter(.retries, [("kind", "a"), ("app", "app_1")]).increment()
        Counter(label: "gatepost_unheard_of_total", factory: registry).increment()
        Counter(label: MetricFamily.clockAge.name, factory: registry).increment()

        #expect(registry.text() == "")
    }

    @Test func `a family grows to its limit and no further`() {
        for number in 0..<MetricRegistry.seriesMax + 10 { counter(.retries, [("kind", "\(number)")]).increment() }

        let samples = registry.text().split(separator: "\n").count { !$0.hasPrefix("#") }
        #expect(samples == MetricRegistry.seriesMax)
    }

    @Test func `a route that nobody called is not shown, a kind that nobody owed is`() {
        _ = counter(.httpRequests, [("method", "GET"), ("route", "/a"), ("status", "2xx")])
        _ = counter(.retries, [("kind", "a")])

        #expect(!registry.text().contains("gatepost_http_requests_total{"))
        #expect(registry.text().contains(#"gatepost_outbox_retries_total{kind="a"} 0"#))
    }

    @Test func `what was read elsewhere stands beside it, and odd values are escaped`() {
        let text = registry.text(with: [
            MetricReading(.databaseUp, is: 1), MetricReading(.jobLag, "a\"b\\c\nd", is: 1.5),
        ])

        #expect(text.contains("gatepost_database_up 1\n"))
        #expect(text.contains(#"gatepost_job_lag_seconds{job="a\"b\\c\nd"} 1.5"#))
    }

    @Test func `names follow Prometheus: a prefix, a unit, and _total for what only grows`() {
        for family in MetricFamily.all {
            #expect(family.name.wholeMatch(of: /gatepost_[a-z_]+[a-z]/) != nil, "\(family.name)")
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(family.kind != .histogram || family.name.hasSuffix("_seconds"), "\(family.name)")
            #expect(family.buckets == family.buckets.sorted() && family.buckets.count <= 15, "\(family.name)")
            #expect((family.kind == .histogram) == !family.buckets.isEmpty, "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
            let bounded: Set = [
                "method", "route", "status", "kind", "outcome", "lane", "pool", "job", "table", "result",
            ]
            #expect(bounded.isSuperset(of: family.labels), "\(family.name)")
        }
        #expect(Set(MetricFamily.all.map(\.name)).count == MetricFamily.all.count)
    }

    @Test func `counting from many tasks at once loses nothing`() async {
        let counter = counter(.retries, [("kind", "a")])
        let meter = Meter(label: MetricFamily.breakersOpen.name, dimensions: [("route", "mail")], factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        meter.increment()
                    }
                }
            }
        }

        #expect(registry.text().contains(#"gatepost_outbox_retries_total{kind="a"} 8000"#))
        #expect(registry.text().contains(#"gatepost_breakers_open{route="mail"} 8000"#))
    }
}
