import Foundation
import GatepostModel
import TestSupport

/// Runs of several worlds side by side, as the environment asks for.
///
/// `GATEPOST_TEST_SEED` repeats one world, `GATEPOST_TEST_STEPS` says how many steps there are in all, and
/// `GATEPOST_TEST_WORLDS` how many worlds share them.
struct Simulation: Sendable {
    /// How many steps a run takes unless the environment says otherwise.
    static let stepsDefault = 100_000
    static let worldsDefault = 4

    let seeds: [UInt64]
    let stepsEach: Int

    /// Reads the environment; without a seed there, chance begins anew in each run.
    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let asked = environment["GATEPOST_TEST_SEED"].flatMap { UInt64($0) }
        let steps = environment["GATEPOST_TEST_STEPS"].flatMap { Int($0) } ?? Self.stepsDefault
        let worlds = environment["GATEPOST_TEST_WORLDS"].flatMap { Int($0) } ?? (asked == nil ? Self.worldsDefault : 1)
        let first = asked ?? UInt64.random(in: 1...UInt64(UInt32.max))
        seeds = (0..<UInt64(max(worlds, 1))).map { first &+ $0 }
        stepsEach = (steps + seeds.count - 1) / seeds.count
    }

    /// What became of one world.
    struct Report: Sendable {
        let seed: UInt64
        let counts: [String: Int]
        let kinds: [String]
        let breaches: [Breach]
        let trace: Trace
        let steps: Int

        /// What a person needs to see it again.
        var story: String {
            """
            \(breaches.map(\.description).joined(separator: "\n"))
            The last steps:
            \(trace.last)
            Again: GATEPOST_TEST_SEED=\(seed) GATEPOST_TEST_STEPS=\(steps) swift test --filter SimulationTests
            """
        }
    }

    /// Runs every world to its end, side by side.
    func run() async throws -> [Report] {
        try await withThrowingTaskGroup(of: Report.self) { group in
            for seed in seeds {
                group.addTask { try await Self.report(seed: seed, steps: stepsEach) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Runs one world on a database of its own.
    static func report(seed: UInt64, steps: Int, keepsTrace: Bool = false) async throws -> Report {
        try await TestDatabase.withOwn { test in
            let world = try await World(seed: seed, on: test, keepsTrace: keepsTrace)
            do {
                try await world.run(steps)
            } catch {
                world.breach(.noUnexpectedError, "\(error)")
            }
            let report = Report(
                seed: seed, counts: world.counts, kinds: world.kinds, breaches: world.breaches, trace: world.trace,
                steps: steps)
            await world.close()
            return report
        }
    }
}
