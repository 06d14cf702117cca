import NIOCore
import NIOPosix

/// Runs tasks on the network's event loops, on the one that they are on already where they are on one.
///
/// A preference of tasks and not the executor of all there are (`NIOSingletons` has that, too): there, each call of a
/// function that is isolated to nothing goes through the loop's queue anew, since a loop runs jobs as an executor of
/// its own and not as the one that such functions want. Whatever blocks such a thread stops the server: hashes, SMTP
/// and libpq have threads of their own.
final class EventLoopExecutor: TaskExecutor {
    static let shared = EventLoopExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        MultiThreadedEventLoopGroup.singleton.any().execute {
            // A loop runs what it is given once.
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
