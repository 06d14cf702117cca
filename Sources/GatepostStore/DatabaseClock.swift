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

    /// A round trip that takes longer says too little: the offset may be wrong by half of it.
    package static let roundTripMax: Duration = .seconds(1)
    /// How long a better sample is kept instead: a monotonic clock drifts by seconds a day, milliseconds in this time.
    package static let sampleAgeMax: Duration = .minutes(10)

    private let pool: PostgresPool
    private let monotonic = ContinuousClock()
    private let start: ContinuousClock.Instant
    /// What time is told by; nil only until the first one has been taken.
    private let sample: Mutex<Sample?>

    /// One look at the database's time.
    struct Sample: Sendable {
        /// Microseconds from `start` being zero to the database's time.
        let offset: Int64
        /// How long it took.
        let roundTrip: Duration
        /// When its answer came, from `start` on.
        let takenAt: Duration

        /// Whether time is to be told by it from here on.
        ///
        /// A slow one is ignored as long as a quicker one is there that is not too old.
        func replaces(_ known: Sample?) -> Bool {
            guard let known, roundTrip > DatabaseClock.roundTripMax, known.roundTrip < roundTrip else { return true }
            return takenAt - known.takenAt > DatabaseClock.sampleAgeMax
        }
    }

    /// Takes a first sample; throws if the database does not answer within five seconds.
    package init(pool: PostgresPool) async throws {
        self.pool = pool
        start = ContinuousClock().now
        sample = Mutex(nil)
        try await takeSample()
    }

    package var now: Instant {
        let elapsed = (monotonic.now - start).microseconds
        return Instant(microseconds: sample.withLock { $0?.offset ?? 0 } + elapsed)
    }

    /// How long ago the sample was taken that time is told by.
    package var sampleAge: Duration {
        let elapsed = monotonic.now - start
        return sample.withLock { elapsed - ($0?.takenAt ?? .zero) }
    }

    /// Takes the offset: the database's time belongs to the middle of the round trip.
    ///
    /// - Returns: Whether time is told by it from here on; see `roundTripMax`.
    /// - Throws: `PostgresError`; the last sample is kept.
    @discardableResult
    package func takeSample() async throws -> Bool {
        let sent = monotonic.now - start
        let results = try await pool.batch(["select clock_timestamp() as now"], on: .shared, deadline: .seconds(5))
        let received = monotonic.now - start
        guard let row = results.first?.first else { return false }
        let databaseNow = try row.get("now", as: Instant.self)
        let taken = Sample(
            offset: databaseNow.microseconds - (sent + received).microseconds / 2, roundTrip: received - sent,
            takenAt: received)
        return sample.withLock { known in
            guard taken.replaces(known) else { return false }
            known = taken
            return true
        }
    }

    /// Samples until it is cancelled; a sample that fails leaves the last offset, which drifts by microseconds.
    package func keepSampling() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.sampleInterval)
            _ = try? await takeSample()
        }
    }
}
