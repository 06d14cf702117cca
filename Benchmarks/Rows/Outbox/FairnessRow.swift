import GatepostModel
import GatepostOutbox
import GatepostStore

extension Benchmark {
    static let fairness = Benchmark(name: "fairness") { site, pace in
        let (perSecond, slots, flooding) = (20, 400, Site.app(1))
        let handler = EndingHandler(noting: site.app)
        let worker = LocalWorker(handlers: [Site.localKind: handler], slots: slots)
        var (idle, beside) = ([Double](), [Double]())
        try await site.withDatabase { database in
            let stream = Stream(database: database, scope: try await site.scope(), perSecond: perSecond)
            try await worker.running(on: database) {
                let time = Duration.seconds(pace.seconds * pace.runs)
                try await stream.run(for: time) { .local(in: .notice, at: $1) }
                try await Task.sleep(for: .milliseconds(500))
                idle = handler.takePickups().map(\.milliseconds)
            }
            try await site.plantBacklog(
                apps: 1, each: pace.owed, in: .notice, from: HostClock().now - .hours(1))
            let before = handler.count
            try await worker.running(on: database) {
                // Until only so much is left that the flood does not end within the next part.
                while handler.count - before < pace.owed * 9 / 10 {
                    try await stream.run(for: .milliseconds(500)) { .local(in: .notice, at: $1) }
                    beside += handler.takePickups().map(\.milliseconds)
                }
            }
        }
        guard !idle.isEmpty, !beside.isEmpty else { throw Program.Failed(description: "\(flooding) was too quick") }
        let note = """
            One run: an app owes \(perSecond) messages a second, while another one's \(pace.owed), of the same lane, \
            are drained by the same worker of \(slots) slots; \(beside.count) pickups, from before the commit to the \
            handler. The limit is the same without the other app. No signal: the worker looks by itself.
            """
        return [(50, nil), (99, Must.atMost(2))].map { percent, must in
            Row(
                "pickup beside another app's flood, p\(percent)", "ms", [beside.percentile(Double(percent))],
                limit: (idle.percentile(Double(percent)), "idle"), must: must, note: note)
        }
    }
}
