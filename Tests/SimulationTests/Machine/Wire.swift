import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostWorkers
import Synchronization

/// The wire as a script: a delivery waits here until a step says what comes of it.
///
/// So any number of other steps lie between an attempt's start and its end.
final class Wire: Handler, Sendable {
    /// What a step hears of a delivery that it has begun.
    enum News: Sendable {
        /// The attempt has started: the message is on the wire.
        case started
        /// The delivery is over; nil where nothing is to be settled.
        case ended(Settlement?)
    }

    private struct Key: Hashable {
        let id: MessageID
        let claimNumber: Int32

        init(_ message: ClaimedMessage) {
            (id, claimNumber) = (message.id, message.claimNumber)
        }
    }

    private let listeners = Mutex<[Key: AsyncStream<News>.Continuation]>([:])
    private let waiting = Mutex<[Key: CheckedContinuation<HandlerResult, Never>]>([:])

    /// Begins a delivery by a worker; its news come in order.
    func begin(_ message: ClaimedMessage, by worker: OutboxWorker) -> AsyncStream<News>.Iterator {
        let (stream, continuation) = AsyncStream<News>.makeStream()
        listeners.withLock { $0[Key(message)] = continuation }
        Task {
            let settlement = await worker.deliver(message)
            let listener = listeners.withLock { $0.removeValue(forKey: Key(message)) }
            listener?.yield(.ended(settlement))
            listener?.finish()
        }
        return stream.makeAsyncIterator()
    }

    func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        await withCheckedContinuation { continuation in
            waiting.withLock { $0[Key(message)] = continuation }
            _ = listeners.withLock { $0[Key(message)]?.yield(.started) }
        }
    }

    /// Says what comes of a delivery that has started.
    func answer(_ message: ClaimedMessage, _ result: HandlerResult) {
        waiting.withLock { $0.removeValue(forKey: Key(message)) }?.resume(returning: result)
    }
}
