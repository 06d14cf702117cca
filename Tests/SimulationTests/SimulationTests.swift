import TestSupport
import Testing

/// Seeded interleavings of everything that can happen, with crashes between any two steps; see docs/simulation.md.
@Suite("Simulation")
struct SimulationTests {
    @Test func `whatever happens in whichever order, every promise is kept`() async throws {
        let simulation = Simulation()
        let reports = try await simulation.run()

        for report in reports where !report.breaches.isEmpty { Issue.record("\(report.story)") }
        let counts = reports.reduce(into: [:]) { $0.merge($1.counts) { $0 + $1 } }
        let steps = counts.values.reduce(0, +)
        // A short run by hand, such as one that repeats a seed, cannot take every kind.
        if reports.allSatisfy(\.breaches.isEmpty), steps >= Simulation.stepsDefault {
            for kind in Set(reports.flatMap(\.kinds)).sorted() {
                #expect(counts[kind, default: 0] > 0, "no step was \(kind), in \(steps) steps")
            }
        }
        #expect(steps >= reports.count * simulation.stepsEach || !reports.allSatisfy(\.breaches.isEmpty))
        Attachment.record(
            counts.sorted { $0.key < $1.key }.map { "\($0.value)\t\($0.key)" }.joined(separator: "\n"),
            named: "steps.txt")
    }

    @Test func `the same seed takes the same steps`() async throws {
        let first = try await Simulation.report(seed: 4711, steps: 1500, keepsTrace: true)
        let second = try await Simulation.report(seed: 4711, steps: 1500, keepsTrace: true)
        let third = try await Simulation.report(seed: 4712, steps: 1500, keepsTrace: true)

        #expect(first.breaches.map(\.description) == [])
        #expect(first.trace.lines == second.trace.lines)
        #expect(first.trace.lines != third.trace.lines)
    }
}
