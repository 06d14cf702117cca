import GatepostClient
import Synchronization

/// Time that moves only when told; whoever sleeps wakes when it has moved far enough.
final class ManualClock: ClientClock, Sendable {
    /// 2026-03-02, a Monday, at nine.
    static let start: Int64 = 1_772_442_000

    fileprivate struct State {
        var uptime: Duration = .seconds(1000)
        var sleepers: [(until: Duration, continuation: CheckedContinuation<Void, Never>)] = []
        /// Whoever waits until so many sleep.
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var uptime: Duration { state.withLock { $0.uptime } }
    var unixSeconds: Int64 { Self.start + uptime.components.seconds - 1000 }

    func sleep(for duration: Duration) async throws {
        await withCheckedContinuation { continuation in
            let watchers = state.withLock { state in
                state.sleepers.append((state.uptime + duration, continuation))
                return state.takeWatchers()
            }
            for watcher in watchers { watcher.resume() }
        }
        try Task.checkCancellation()
    }

    /// Moves on, and wakes whoever has slept long enough.
    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.uptime += duration
            let now = state.uptime
            defer { state.sleepers.removeAll { $0.until <= now } }
            return state.sleepers.filter { $0.until <= now }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Waits until so many sleep.
    func waitForSleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let watchers = state.withLock { state in
                state.watchers.append((count, continuation))
                return state.takeWatchers()
            }
            for watcher in watchers { watcher.resume() }
        }
    }
}

extension ManualClock.State {
    fileprivate mutating func takeWatchers() -> [CheckedContinuation<Void, Never>] {
        let count = sleepers.count
        defer { watchers.removeAll { $0.count <= count } }
        return watchers.filter { $0.count <= count }.map(\.continuation)
    }
}
