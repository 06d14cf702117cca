package import GatepostModel
package import Postgres
import Synchronization

/// The database's time: the host's monotonic clock plus an offset that is sampled from the database.
///
/// A host whose clock is ten minutes ahead would otherwise find every lease expired and steal it. The monotonic
/// clock does not jump; the offset is taken again every ten seconds, by whoever runs `keepSampling`.
package final class DatabaseClock: WallClock, Sendable {
    /// How often the offset is taken again.
    package static let sampleInterval: Duration = .seconds(10)

    private let pool: PostgresPool
    private let monotonic = ContinuousClock()
    private let start: ContinuousClock.Instant
    /// Microseconds from `start` being zero to the database's time.
    private let offset: Mutex<Int64>

    /// Takes a first sample; throws if the database does not answer within five seconds.
    package init(pool: PostgresPool) async throws {
        self.pool = pool
        start = ContinuousClock().now
        offset = Mutex(0)
        try await sample()
    }

    package var now: Instant {
        let elapsed = (monotonic.now - start).microseconds
        return Instant(microseconds: offset.withLock { $0 } + elapsed)
    }

    /// Takes the offset: the database's time belongs to the middle of the round trip.
    package func sample() async throws {
        let sent = (monotonic.now - start).microseconds
        let results = try await pool.batch(["select clock_timestamp() as now"], on: .shared, deadline: .seconds(5))
        let received = (monotonic.now - start).microseconds
        guard let row = results.first?.first else { return }
        let databaseNow = try row.get("now", as: Instant.self)
        offset.withLock { $0 = databaseNow.microseconds - (sent + received) / 2 }
    }

    /// Samples until it is cancelled; a sample that fails leaves the last offset, which drifts by microseconds.
    package func keepSampling() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.sampleInterval)
            try? await sample()
        }
    }
}
