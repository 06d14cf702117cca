import ArgumentParser
import Foundation

/// `gatepost-chaos`: real processes, faults by a seed, and a judge of what was promised, received and recorded.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatepost-chaos",
        abstract: "Run Gatepost's programs, harm them in every way, and show that nothing was lost or made up.",
        discussion: """
            Prints one line; what it found goes to standard error. The exit code is 0 if every figure that must be \
            zero is, and every fault that was asked for was done.
            """)

    @Option(help: "How long faults are made.")
    var seconds = 600
    @Option(help: "Faults a minute, as many as the targets allow.")
    var rate = 66
    @Option(help: "What the faults follow from; chosen by chance unless given.")
    var seed: UInt64?
    @Option(help: "How many people sign up at once.")
    var people = 8
    @Option(help: "A folder for what the programs wrote; kept only if given.")
    var logs: String?
    @Option(help: "Only faults whose name begins so, such as kill or stop-worker.")
    var only: String?

    func validate() throws {
        guard seconds > 0, rate > 0, people > 0 else {
            throw ValidationError("there must be a second, a fault and a person")
        }
        if let only, !Fault.Kind.allCases.contains(where: { $0.rawValue.hasPrefix(only) }) {
            throw ValidationError("no fault begins with \(only): \(Fault.Kind.allCases.map(\.rawValue))")
        }
    }

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1...UInt64(UInt32.max))
        let plan = FaultPlan(seed: seed, count: seconds * rate / 60, only: only)
        let report = try await Site.running(logs: logs) { site in
            try await round(of: plan, at: site)
        }
        for line in report.notes { Self.note(line) }
        print(report.line(seed: seed))
        guard report.isClean else { throw ExitCode.failure }
    }

    /// Load and faults side by side, then quiet, then the verdict.
    private func round(of plan: FaultPlan, at site: Site) async throws -> Report {
        let load = Load(site: site, peopleCount: people)
        let carrier = FaultCarrier(site: site, plan: plan)
        Self.note("\(plan.faults.count) faults in \(seconds) s, \(people) people")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await load.run() }
            try await carrier.run(for: .seconds(seconds))
            Self.note("faults are over: \(carrier.count); waiting until nothing is owed")
            // People go on for a moment, so that the last faults have somebody to recover for.
            await carrier.waitForRecoveries()
            load.end()
            try await group.waitForAll()
        }
        try await site.settle()
        let evidence = try await site.evidence(deeds: load.journal.deeds, stops: carrier.workerStops)
        return Report(
            verdict: Checker(evidence).verdict(), faults: carrier.counts, planned: plan.faults.count,
            recoveries: site.successes.recoveries, crashes: site.crashes, deeds: load.journal.deeds,
            receiptCounts: "\(site.mails.receipts.count) mails, \(site.notices.receipts.count) notices")
    }

    /// Says something to whoever watches.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}

/// What a round came to.
struct Report: Sendable {
    let verdict: Verdict
    /// How many faults of each kind were made.
    let faults: [Fault.Kind: Int]
    let planned: Int
    let recoveries: [Recovery]
    /// Programs that ended though nobody had killed them.
    let crashes: [String]
    let deeds: [Deed]
    /// How much came over each wire.
    var receiptCounts = ""

    private var faultCount: Int { faults.values.reduce(0, +) }

    /// Whether all that must be zero is, and the round was what was asked for.
    var isClean: Bool {
        // A busy machine may not get round to all of them.
        verdict.isClean && crashes.isEmpty && recoveries.allSatisfy { $0.seconds != nil }
            && faultCount * 4 >= planned * 3 && deeds.contains(where: \.isAcknowledged)
    }

    /// The one line.
    func line(seed: UInt64) -> String {
        let sorted = recoveries.map { $0.seconds ?? .infinity }.sorted()
        let last = sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        return "faults=\(faultCount) \(verdict.line) recover_p99=\(String(format: "%.1f", last)) s seed=\(seed)"
    }

    /// What stands behind it.
    var notes: [String] {
        let kinds = faults.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
        let acknowledged = Dictionary(grouping: deeds.filter(\.isAcknowledged), by: \.kind)
        let deedCounts = Deed.Kind.allCases.map { "\($0.rawValue) \(acknowledged[$0]?.count ?? 0)" }
        let slow = recoveries.sorted { ($0.seconds ?? .infinity) > ($1.seconds ?? .infinity) }.prefix(5)
        let copies = "\(verdict.mostCopies.count) of \(verdict.mostCopies.what)"
        let explained = verdict.explained.sorted { $0.key < $1.key }.map { state, those in
            "did not come, which its end explains: \(those.count) \(state), one was \(those[0])"
        }
        return [
            "faults: " + kinds.joined(separator: ", "), "acknowledged: " + deedCounts.joined(separator: ", "),
            "received: \(receiptCounts); most copies: \(copies)",
        ]
            + explained + slow.map { "slow: \($0)" }
            + crashes.map { "crash: \($0)" } + verdict.findings.map(\.description)
    }
}
