package import GatepostModel
import ServiceLifecycle
import Synchronization

extension JobRunner: Service {
    /// Runs every job at its due times until it is told to stop.
    ///
    /// Each minute is looked at once, when it begins: a due time that passed while no runner was there is not made
    /// up, because the next run does the same work. A job of which a run is still going on here is left to others.
    /// On a graceful shutdown each run ends with the batch that it is in.
    package func run() async throws {
        let running = RunningJobs()
        await withDiscardingTaskGroup { group in
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                let minute = clock.now.startOfMinute
                for job in catalog.due(at: minute) where running.begin(job.name) {
                    group.addTask {
                        _ = await run(job, dueAt: minute)
                        running.end(job.name)
                    }
                }
                let wait = minute + .minutes(1) - clock.now
                try? await cancelWhenGracefulShutdown { try await pause(wait) }
            }
        }
    }

    /// Runs all jobs that are due in a minute, one after the other; returns what came of each, by name.
    package func runDue(at instant: Instant) async -> [String: Outcome] {
        let minute = instant.startOfMinute
        var outcomes: [String: Outcome] = [:]
        for job in catalog.due(at: minute) { outcomes[job.name] = await run(job, dueAt: minute) }
        return outcomes
    }
}

/// The jobs of which this process has a run going on.
private final class RunningJobs: Sendable {
    private let names = Mutex<Set<String>>([])

    /// False if there is one already.
    func begin(_ name: String) -> Bool {
        names.withLock { $0.insert(name).inserted }
    }

    func end(_ name: String) {
        names.withLock { _ = $0.remove(name) }
    }
}

extension Instant {
    /// The beginning of the minute that it lies in.
    fileprivate var startOfMinute: Instant {
        let remainder = seconds % 60
        return Instant(seconds: seconds - (remainder < 0 ? remainder + 60 : remainder))
    }
}
