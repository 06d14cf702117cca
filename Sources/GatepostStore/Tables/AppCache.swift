import GatepostModel
import Synchronization

/// Apps that were resolved within the last second, so that a request need not begin with a read of its app.
final class AppCache: Sendable {
    /// How long an app is remembered: how late, at most, a node learns that one was suspended or changed.
    static let life: Duration = .seconds(1)
    /// How many are remembered; past that the memory is emptied.
    static let appsMax = 10_000

    private let entries = Mutex<[AppID: (app: AppRecord, until: ContinuousClock.Instant)]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Starts empty.
    ///
    /// - Parameter now: The host's monotonic time, which tests set; the clock itself unless given.
    init(now: (@Sendable () -> ContinuousClock.Instant)? = nil) {
        let clock = ContinuousClock()
        self.now = now ?? { clock.now }
    }

    func app(_ id: AppID) -> AppRecord? {
        let now = now()
        return entries.withLock { entries in
            guard let entry = entries[id], entry.until > now else { return nil }
            return entry.app
        }
    }

    func forget(_ id: AppID) {
        entries.withLock { _ = $0.removeValue(forKey: id) }
    }

    func remember(_ app: AppRecord) {
        let until = now() + Self.life
        entries.withLock { entries in
            if entries.count >= Self.appsMax { entries.removeAll() }
            entries[app.scope.appID] = (app, until)
        }
    }
}
