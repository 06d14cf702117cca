import Glibc

/// Threads of our own for calls that block, so that none blocks Swift's cooperative pool.
enum OSThread {
    /// Runs the body on a new thread, which ends with it.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, nil, runBox, box)
        precondition(code == 0, "the system refuses another thread")
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private static let runBox: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        return nil
    }
}
