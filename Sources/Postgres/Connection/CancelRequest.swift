import CLibpq
import Glibc
import Synchronization

/// Asks the server to end what a connection is running.
///
/// `PQcancel` opens a connection of its own and blocks without a limit, so it gets a thread of its own. Whoever asked
/// has to wait for its end before the connection is used again: a request under way would hit the next statement.
final class CancelRequest: Sendable {
    /// How many may be under way in the process; beyond that, connections are closed instead.
    private static let underWayMax = 32
    private static let underWay = Atomic<Int>(0)

    private let isOver = Atomic<Bool>(false)

    /// Whether the server has acted on the request, or cannot be reached.
    var hasEnded: Bool { isOver.load(ordering: .acquiring) }

    private init() {}

    /// Starts a request; none if there are too many or the connection is dead.
    ///
    /// - Parameters:
    ///   - raw: The connection, which may go on being used by its own thread.
    ///   - wakeUp: Signalled at the end.
    /// - Returns: The request, to wait for.
    static func start(for raw: OpaquePointer, signalling wakeUp: WakeUp) -> CancelRequest? {
        guard underWay.wrappingAdd(1, ordering: .relaxed).newValue <= underWayMax,
            let cancel = unsafe PQgetCancel(raw)
        else {
            underWay.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        let request = CancelRequest()
        nonisolated(unsafe) let handle = unsafe cancel
        OSThread.start {
            var message = [CChar](repeating: 0, count: 256)
            _ = unsafe PQcancel(handle, &message, Int32(message.count))
            unsafe PQfreeCancel(handle)
            underWay.wrappingSubtract(1, ordering: .relaxed)
            request.isOver.store(true, ordering: .releasing)
            wakeUp.signal()
        }
        return request
    }
}
