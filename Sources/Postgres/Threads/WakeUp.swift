import CLibpq
import Glibc

/// Ends another thread's `poll`.
///
/// A worker's thread waits on its connection's socket and on this at once, so a new job, a cancellation and a dead
/// connection all reach it, whichever comes first. A signal that comes early is kept; several count as one.
final class WakeUp: Sendable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        precondition(descriptor >= 0, "out of file descriptors")
    }

    deinit {
        close(descriptor)
    }

    func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Forgets the signals so far.
    func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// Waits for a signal, for an event on the socket, or for the time to pass.
    ///
    /// - Returns: Whether it was signalled, and what happened on the socket (0 for nothing).
    func wait(orFor events: Int16, on socket: Int32, milliseconds: Int32) -> (isSignalled: Bool, events: Int16) {
        unsafe withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { descriptors in
            unsafe descriptors.initializeElement(at: 0, to: pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            // A negative descriptor is ignored.
            unsafe descriptors.initializeElement(at: 1, to: pollfd(fd: socket, events: events, revents: 0))
            // An interrupted poll looks like one that found nothing; every caller asks again.
            guard unsafe poll(descriptors.baseAddress, 2, milliseconds) > 0 else { return (false, 0) }
            let isSignalled = unsafe descriptors[0].revents != 0
            if isSignalled { clear() }
            return (isSignalled, unsafe descriptors[1].revents)
        }
    }
}
