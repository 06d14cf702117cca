/// Pauses between attempts that double up to a ceiling, each shortened by chance.
///
/// Chance keeps the connections of many processes from coming back in step after the server restarts.
struct Backoff {
    private let floor: Duration
    private let ceiling: Duration
    private var next: Duration

    init(floor: Duration, ceiling: Duration) {
        self.floor = max(floor, .milliseconds(1))
        self.ceiling = max(ceiling, self.floor)
        next = self.floor
    }

    /// The pause to make now: between half and all of the present length.
    mutating func pause() -> Duration {
        defer { next = min(next * 2, ceiling) }
        return next * Double.random(in: 0.5...1)
    }

    mutating func reset() { next = floor }
}
