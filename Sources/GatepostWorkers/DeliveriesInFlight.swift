import GatepostModel
import GatepostOutbox
import Synchronization

/// The deliveries that run now, each in a task of its own.
///
/// Not a task group: a shutdown waits for them only so long, and a group cannot be left while a child still blocks
/// on a server that does not answer.
final class DeliveriesInFlight: Sendable {
    private struct Key: Hashable {
        let message: MessageID
        let claimNumber: Int32
    }

    private struct State {
        var slots: DeliverySlots
        var running: [Key: (message: ClaimedMessage, task: Task<Void, Never>?)] = [:]
        var isClosed = false
    }

    private let state: Mutex<State>

    init(slots: DeliverySlots) {
        state = Mutex(State(slots: slots))
    }

    var count: Int { state.withLock { $0.running.count } }

    /// Slots that a lane may take now.
    func free(for lane: Lane) -> Int { state.withLock { $0.isClosed ? 0 : $0.slots.free(for: lane) } }

    /// Whether enough slots are free for a claim to be worth its round trip: half.
    var isWorthClaiming: Bool { state.withLock { ($0.slots.total - $0.slots.usedCount) * 2 >= $0.slots.total } }

    /// Starts a delivery; it has ended when its body calls `end`.
    func start(_ message: ClaimedMessage, _ body: @escaping @Sendable () async -> Void) {
        let key = Key(message: message.id, claimNumber: message.claimNumber)
        state.withLock { state in
            state.slots.take(for: message.lane)
            state.running[key] = (message, nil)
        }
        let task = Task { await body() }
        // It may have ended already.
        state.withLock { $0.running[key]?.task = task }
    }

    /// Takes note that a delivery has ended; false if nobody waits for its result any more.
    func end(_ message: ClaimedMessage) -> Bool {
        state.withLock { state in
            let key = Key(message: message.id, claimNumber: message.claimNumber)
            guard !state.isClosed, state.running.removeValue(forKey: key) != nil else { return false }
            state.slots.free(message.lane)
            return true
        }
    }

    /// Cancels what still runs and returns it: its results are not waited for.
    func close() -> [ClaimedMessage] {
        let rest = state.withLock { state in
            state.isClosed = true
            defer { state.running.removeAll() }
            return Array(state.running.values)
        }
        for delivery in rest { delivery.task?.cancel() }
        return rest.map(\.message)
    }
}
