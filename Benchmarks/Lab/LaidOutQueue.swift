import GatepostModel
import GatepostOutbox
import GatepostStore
import Synchronization

/// A backlog whose order is known, so that pgbench can settle what it has just claimed without reading it.
///
/// Each client has an app of its own, whose messages become due one after the other: the k-th claim of 200 gets the
/// k-th 200. A table says which those are; that look-up is all that pgbench does beyond the recorded statements.
final class LaidOutQueue: Sendable {
    /// Messages in one claim and one settlement.
    static let batch = 200
    /// How far a floor lies before the first row, as in a worker's list.
    private static let floorMargin: Duration = .seconds(2)

    private let site: Site
    private let base: Instant
    /// Batches of one app in one measurement.
    private let batchesPerRun: Int
    private let done = Atomic<Int>(0)

    private init(site: Site, base: Instant, batchesPerRun: Int) {
        (self.site, self.base, self.batchesPerRun) = (site, base, batchesPerRun)
    }

    /// Owes what all measurements take, each first once to warm up; one more app is there to be recorded.
    static func plant(_ pace: Pace, at site: Site) async throws -> LaidOutQueue {
        let measurements = (pace.runs + 1) * 2
        let perApp = max(pace.owed / (Pgbench.clients * batch * measurements), 2)
        let base = HostClock().now - .hours(1)
        try await site.plantBacklog(
            apps: Pgbench.clients + 1, each: perApp * measurements * batch, in: .bulk, from: base)
        try await site.runScript(
            """
            create table benchmark_batches (batch integer, app uuid[], floor timestamptz[], apps uuid[], ids uuid[]);
            alter table benchmark_batches alter column apps set storage plain, alter column ids set storage plain;
            insert into benchmark_batches
            select app * \(perApp * measurements) + place / \(batch), array[app_id],
                   array[min(due_at) - interval '2 s'], array_agg(app_id), array_agg(id order by due_at)
              from (select app_id, id, due_at, dense_rank() over (order by app_id) - 1 as app,
                           row_number() over (partition by app_id order by due_at) - 1 as place
                      from outbox) as laid
             group by app_id, app, place / \(batch);
            alter table benchmark_batches add primary key (batch);
            grant select on benchmark_batches to gatepost_worker;
            vacuum analyze benchmark_batches;
            """)
        return LaidOutQueue(site: site, base: base, batchesPerRun: perApp)
    }

    /// Prepares pgbench to do what a client does; `:first` batches of each app are gone.
    func pgbench() async throws -> Pgbench {
        let first = try await site.runQuery("select max(batch) + 1 from benchmark_batches")
        let perApp = (Int(first) ?? 0) / (Pgbench.clients + 1)
        func row(_ column: String) -> String { "(select \(column) from benchmark_batches where batch = :batch)" }
        let recording = try await Recording.of(
            site,
            replacing: { recorded in
                guard recorded.hasPrefix("{") else { return nil }
                let elements = recorded.dropFirst().dropLast().split(separator: ",")
                let isTime = recorded.hasPrefix("{\"")
                if elements.count == 1 { return row(isTime ? "floor" : "app") }
                guard elements.first?.contains(#/^[0-9a-f]{8}-/#) == true else { return nil }
                return row(Set(elements).count == 1 ? "apps" : "ids")
            }
        ) { database, _ in
            // The app that is nobody else's.
            try await self.claimAndSettle(app: Pgbench.clients, floor: self.base - Self.floorMargin, on: database)
        }
        return Pgbench(
            program: site.lab.programs + "/pgbench", url: site.databaseURL, replaying: recording,
            head: "\\set batch :client_id * \(perApp) + :first + :i - 1\n")
    }

    /// Messages a second by pgbench.
    func rate(of pgbench: Pgbench) async throws -> Double {
        let owed = try await Gauge.on(site) { try await $0.owedCount() }
        let first = done.add(batchesPerRun, ordering: .relaxed).oldValue
        let rate = try await pgbench.rate(transactions: batchesPerRun, from: first)
        let left = try await Gauge.on(site) { try await $0.owedCount() }
        guard owed - left == batchesPerRun * Pgbench.clients * Self.batch else {
            throw Program.Failed(description: "pgbench settled \(owed - left) messages")
        }
        return rate * Double(Self.batch)
    }

    /// Messages a second by Gatepost.
    func rate(on database: Database) async throws -> Double {
        let clock = ContinuousClock()
        let (start, first) = (clock.now, done.add(batchesPerRun, ordering: .relaxed).oldValue)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for app in 0..<Pgbench.clients {
                group.addTask { [self] in
                    for number in first..<first + batchesPerRun {
                        let due = base + Site.spacing * (number * Self.batch)
                        try await claimAndSettle(app: app, floor: due - Self.floorMargin, on: database)
                    }
                }
            }
            try await group.waitForAll()
        }
        let count = Pgbench.clients * batchesPerRun * Self.batch
        return Double(count) / ((clock.now - start) / .seconds(1))
    }

    private func claimAndSettle(app: Int, floor: Instant, on database: Database) async throws {
        let turn = AppTurn(app: Site.app(app + 1), floor: floor)
        let now = HostClock().now
        let claimed = try await database.system {
            $0.claim(.bulk, of: [turn], rowsPerApp: Self.batch, leaseEnd: now + .seconds(90))
        }
        let report = try await database.settle(
            claimed.map { message in
                let attempt = Attempt(
                    outcome: .delivered, code: 250, reply: "2.0.0 Ok", startedAt: now, endedAt: now)
                return Settlement(of: message, .ended(.delivered, reason: nil), attempt: attempt, at: now)
            })
        guard claimed.count == Self.batch, report.settledCount == Self.batch else {
            throw Program.Failed(description: "claimed \(claimed.count), settled \(report.settledCount)")
        }
    }
}
