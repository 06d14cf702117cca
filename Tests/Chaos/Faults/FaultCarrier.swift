import Foundation
import GatepostDev
import TestSupport

/// Carries a plan of faults out: several at once, never two on the same thing.
final class FaultCarrier: Sendable {
    /// What a fault has for itself while it lasts.
    enum Target: Hashable, Sendable {
        case server
        case worker(Int)
        case pooler
        case postgres
        /// Sessions: of a server that is being restarted there are none.
        case backends
        case mail
        case webhook
        case clock(Int)
    }

    private struct State: Sendable {
        var busy: Set<Target> = []
        var counts: [Fault.Kind: Int] = [:]
        var workerStops: [Evidence.Stop] = []
        var recovering = 0
    }

    /// How many targets may be under a fault at one time: all but one, or programs that wait for a pooler which stands
    /// still would keep everything else from being harmed.
    private static let concurrentMax = 12
    /// How long something may take to work again before that is a finding of its own.
    static let recoveryBound: Duration = .seconds(120)

    let site: Site
    private let plan: FaultPlan
    private let state = Watched(State())

    init(site: Site, plan: FaultPlan) {
        (self.site, self.plan) = (site, plan)
    }

    /// How many faults of each kind were made.
    var counts: [Fault.Kind: Int] { state.current.counts }
    /// How many in all.
    var count: Int { counts.values.reduce(0, +) }
    /// When workers stood still.
    var workerStops: [Evidence.Stop] { state.current.workerStops }

    /// Makes the faults, evenly over a time; each is the first of the plan whose target is free.
    ///
    /// It returns when all that were begun have ended; what could not be begun in time is left out.
    func run(for duration: Duration) async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        var waiting = plan.faults[...].map { $0 }
        await withTaskGroup(of: Void.self) { group in
            while !waiting.isEmpty, clock.now - begin < duration {
                let due = begin + duration * (plan.faults.count - waiting.count) / max(plan.faults.count, 1)
                if clock.now < due { try? await Task.sleep(for: due - clock.now) }
                guard let (index, targets) = take(from: waiting) else {
                    try? await Task.sleep(for: .milliseconds(25))
                    continue
                }
                let fault = waiting.remove(at: index)
                group.addTask {
                    await self.carryOut(fault, on: targets)
                    self.state.update { $0.busy.subtract(targets) }
                }
            }
        }
    }

    /// Waits until everything that was harmed has worked again, or never will.
    func waitForRecoveries() async {
        try? await state.wait(within: Self.recoveryBound + .seconds(10)) { $0.recovering == 0 ? () : nil }
    }

    private func take(from waiting: [Fault]) -> (Int, Set<Target>)? {
        state.update { state in
            guard state.busy.count < Self.concurrentMax else { return nil }
            for (index, fault) in waiting.enumerated() {
                let targets = Self.targets(of: fault, besides: state.busy)
                guard state.busy.isDisjoint(with: targets) else { continue }
                state.busy.formUnion(targets)
                return (index, targets)
            }
            return nil
        }
    }

    /// What a fault is done to; of several that are alike, one that is free.
    private static func targets(of fault: Fault, besides busy: Set<Target>) -> Set<Target> {
        func free(_ targets: [Target]) -> Target {
            let rotated = (0..<targets.count).map { targets[(fault.choice + $0) % targets.count] }
            return rotated.first { !busy.contains($0) } ?? rotated[0]
        }
        switch fault.kind {
        case .killServer, .stopServer: return [.server]
        case .killWorker, .stopWorker: return [free((0..<Site.workerCount).map(Target.worker))]
        case .killPooler, .restartPooler, .stopPooler: return [.pooler]
        case .killPostgres, .restartPostgres, .crashPostgres, .killBackend: return [.postgres, .backends]
        case .terminateBackends, .stopBackend: return [.backends]
        case .mail: return [.mail]
        case .webhook: return [.webhook]
        case .clock: return [free((0..<3).map(Target.clock))]
        }
    }

    /// Counts a fault that has been made.
    func made(_ fault: Fault) {
        state.update { $0.counts[fault.kind, default: 0] += 1 }
    }

    /// Notes when a worker stood still.
    func stopped(_ stop: Evidence.Stop) {
        state.update { $0.workerStops.append(stop) }
    }

    /// Watches, beside everything else, for the next success of what was harmed.
    ///
    /// - Parameters:
    ///   - fault: What was done.
    ///   - what: What it affected.
    ///   - begin: From when on it counts: its end, or its beginning where something was killed.
    ///   - moment: A success must have begun after this, which is later where something had to be started anew.
    func watch(_ fault: Fault, _ what: Affected, from begin: Double, after moment: Double? = nil) {
        state.update { $0.recovering += 1 }
        Task {
            await site.successes.recover(
                fault.kind.rawValue, what, since: moment ?? begin, from: begin, within: Self.recoveryBound)
            state.update { $0.recovering -= 1 }
        }
    }
}
