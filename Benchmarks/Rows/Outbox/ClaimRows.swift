import Foundation
import GatepostModel
import GatepostOutbox
import GatepostStore
import Synchronization

extension Benchmark {
    static let claimSettle = Benchmark(name: "claim-settle") { site, pace in
        let queue = try await LaidOutQueue.plant(pace, at: site)
        let pgbench = try await queue.pgbench()
        let comparison = try await site.withDatabase(connections: Pgbench.clients) { database in
            try await pace.compare(
                { try await queue.rate(on: database) }, with: { try await queue.rate(of: pgbench) })
        }
        let limit = comparison.limits.median
        let drain = try await drain(pace.owed, at: site)
        return [
            Row(
                "claim and settle", "/s", comparison, limitIs: "pgbench", must: .atLeast(0.85),
                note: """
                    \(Pgbench.clients) tasks on as many connections, each claims \(LaidOutQueue.batch) messages of an \
                    app of its own and settles them as delivered, with an attempt each; \(pace.owed) owed at first. \
                    pgbench runs the same statements; which messages a batch has, it looks up.
                    """),
            Row(
                "drain of \(pace.owed)", "/s", [Double(pace.owed) / drain], limit: (limit, "pgbench, as above"),
                note: """
                    One run: a worker with \(drainSlots) slots, its handler ends each message at once; from the \
                    worker's start until nothing is owed, \(Int(drain.rounded())) s.
                    """),
        ]
    }

    static let manyApps = Benchmark(name: "many-apps") { site, pace in
        // What one claim takes of each app, and how often one is made; the first pass warms up.
        let (apps, perApp, passes) = (max(pace.owed / 100, 200), 2, pace.runs + 1)
        let base = HostClock().now - .hours(1)
        let turns = (1...apps).map { AppTurn(app: Site.app($0), floor: base) }
        try await site.plantBacklog(apps: apps, each: perApp * passes, in: .bulk, from: base)
        let alone = AppTurn(app: Site.app(apps + 1), floor: base)
        try await site.plantBacklog(
            apps: 1, each: apps * perApp * passes, in: .notice, from: base, number: apps + 1)
        let comparison = try await site.withDatabase(connections: 1) { database in
            var floor = alone.floor
            return try await pace.compare(
                {
                    try await cost(of: apps / OutboxLimits.claimedAppsMax, on: database) { number in
                        let first = number * OutboxLimits.claimedAppsMax
                        let some = Array(turns[first..<first + OutboxLimits.claimedAppsMax])
                        return (.bulk, some, perApp)
                    } claimed: { _ in
                    }
                },
                with: {
                    try await cost(of: apps / OutboxLimits.claimedAppsMax, on: database) { _ in
                        (.notice, [AppTurn(app: alone.app, floor: floor)], perApp * OutboxLimits.claimedAppsMax)
                    } claimed: { messages in
                        floor = max(floor, (messages.last?.readyAt ?? floor) - .seconds(2))
                    }
                })
        }
        return [
            Row(
                "claim of 1,000 messages of \(apps) apps", "ms", comparison, limitIs: "of one app", must: .atMost(2),
                note: """
                    One connection, one claim after the other: \(OutboxLimits.claimedAppsMax) apps with \(perApp) \
                    messages each, against as many messages of one app.
                    """)
        ]
    }

    /// Slots of the worker that drains: what is free of them for one lane is the batch of a claim, 200 for bulk.
    private static let drainSlots = 400

    /// How many seconds a worker takes until nothing is owed.
    private static func drain(_ count: Int, at site: Site) async throws -> Double {
        try await site.runScript("truncate outbox")
        let first = Pgbench.clients + 2
        try await site.plantBacklog(
            apps: 1, each: count, in: .bulk, from: HostClock().now - .hours(1), number: first)
        let handler = EndingHandler()
        let worker = LocalWorker(handlers: [Site.localKind: handler], slots: drainSlots)
        return try await Gauge.on(site) { gauge in
            try await site.withDatabase { database in
                let time = ContinuousClock().now
                return try await worker.running(on: database) {
                    while handler.count < count {
                        guard ContinuousClock().now - time < .seconds(900) else {
                            throw Program.Failed(description: "only \(handler.count) messages were handled")
                        }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    try await gauge.untilSettled(within: .seconds(60))
                    return (ContinuousClock().now - time) / .seconds(1)
                }
            }
        }
    }

    /// Milliseconds for 1,000 messages, over so many claims that each come back full.
    private static func cost(
        of count: Int, on database: Database, _ what: (Int) -> (Lane, [AppTurn], Int),
        claimed: ([ClaimedMessage]) -> Void
    ) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var messageCount = 0
        for number in 0..<count {
            let (lane, turns, rowsPerApp) = what(number)
            let leaseEnd = HostClock().now + .hours(1)
            let messages = try await database.system {
                $0.claim(lane, of: turns, rowsPerApp: rowsPerApp, leaseEnd: leaseEnd)
            }
            guard messages.count == turns.count * rowsPerApp else {
                throw Program.Failed(description: "a claim got \(messages.count) messages")
            }
            messageCount += messages.count
            claimed(messages)
        }
        return (clock.now - start) / .milliseconds(1) * 1000 / Double(messageCount)
    }
}
