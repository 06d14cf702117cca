import GatepostModel
import GatepostOutbox
import GatepostWorkers

/// A worker's process: what it holds in memory is lost when it crashes.
final class SimulatedWorker {
    /// How much one holds at most.
    static let inHandMax = 12

    let number: Int
    /// Nil while it does not run.
    var outbox: OutboxWorker?
    /// Claimed, and not begun.
    var claimed: [ClaimedMessage] = []
    /// On the wire.
    var inFlight: [Flight] = []
    /// Handed to the settler, and not settled.
    var unsettled: [(settlement: Settlement, attempt: AttemptModel?)] = []

    init(number: Int) {
        self.number = number
    }

    var inHand: Int { claimed.count + inFlight.count }

    /// A delivery between its start and its end.
    final class Flight {
        let message: ClaimedMessage
        let attempt: AttemptModel
        var news: AsyncStream<Wire.News>.Iterator

        init(_ message: ClaimedMessage, _ attempt: AttemptModel, _ news: AsyncStream<Wire.News>.Iterator) {
            (self.message, self.attempt, self.news) = (message, attempt, news)
        }
    }
}
