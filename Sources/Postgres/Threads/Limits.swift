import Glibc
import Synchronization

/// Why a wait ended without the event waited for.
enum Interruption: Error {
    case deadline
    case cancelled
    /// The connection is gone.
    case lost

    var kind: PostgresError.Kind {
        switch self {
        case .deadline: .deadlineExceeded
        case .cancelled: .cancelled
        case .lost: .connectionLost(outcomeUnknown: true)
        }
    }
}

/// Set by a cancelled task, read by the thread that works for it.
final class CancelFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}

/// What bounds a thread's work for one job: a deadline, and a flag that a wake-up makes it look at.
struct Limits {
    var deadline: Deadline
    var cancelFlag: CancelFlag?
    let wakeUp: WakeUp

    /// Why work is not begun any more, if so.
    var failure: Connection.Failure? {
        if cancelFlag?.isSet == true { return Connection.Failure(error: PostgresError(.cancelled)) }
        if deadline.hasPassed { return Connection.Failure(error: PostgresError(.deadlineExceeded)) }
        return nil
    }

    /// Waits for events on a socket.
    ///
    /// - Returns: The events that happened.
    @discardableResult
    func wait(for events: Int32, on socket: Int32) throws(Interruption) -> Int16 {
        while true {
            if cancelFlag?.isSet == true { throw .cancelled }
            let remaining = deadline.remainingMilliseconds
            guard remaining > 0 else { throw .deadline }
            let found = wakeUp.wait(orFor: Int16(events), on: socket, milliseconds: remaining)
            if found.events != 0 { return found.events }
        }
    }

    /// The same limits with an earlier deadline and, if asked for, deaf to cancellation.
    func until(_ other: Deadline, ignoringCancellation: Bool = false) -> Limits {
        Limits(
            deadline: min(deadline, other), cancelFlag: ignoringCancellation ? nil : cancelFlag, wakeUp: wakeUp)
    }
}
