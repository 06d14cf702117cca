package import NIOCore

/// Runs tasks on the network's event loops, on the one that they are on already where they are on one.
///
/// A preference of tasks and not the executor of all there are (`NIOSingletons` has that, too): there, each call of a
/// function that is isolated to nothing goes through the loop's queue anew, since a loop runs jobs as an executor of
/// its own and not as the one that such functions want. Whatever blocks such a thread stops the server: hashes, SMTP
/// and libpq have threads of their own.
package final class EventLoopExecutor: TaskExecutor {
    private let loops: any EventLoopGroup

    /// Runs what it is given on these loops, which have to be there for as long as it is.
    package init(_ loops: any EventLoopGroup) {
        self.loops = loops
    }

    /// Hands the job to a loop: the current one, if the caller is on one.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loops.any().execute {
            // A loop runs what it is given once.
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
