import Synchronization

/// Wakes the worker of this process when something was owed, so that a mail need not wait for the next poll.
///
/// Only a hint, never needed: a worker polls, in another process or in this one. One waits at a time.
package final class OutboxSignal: Sendable {
    private struct State {
        var isRaised = false
        /// Grows with each wait, so that a timer cannot end a later one.
        var waitNumber = 0
        /// The last wait whose time was over before it had begun to wait.
        var endedNumber = 0
        var waiter: CheckedContinuation<Void, Never>?

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    /// Makes a signal that is not raised.
    package init() {}

    /// Wakes whoever waits, or the next one to wait.
    package func raise() {
        let waiter = state.withLock { state in
            state.isRaised = state.waiter == nil
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Waits until the signal is raised, and not longer than this if a time is given.
    ///
    /// Each time that is given costs a timer which lives until it is over, raised or not: no long one in a busy loop.
    package func wait(atMost time: Duration? = nil) async {
        let number = state.withLock { state in
            state.waitNumber += 1
            return state.waitNumber
        }
        let timer = time.map { time in
            Task {
                // Cancelled when the wait is over.
                guard (try? await Task.sleep(for: time)) != nil else { return }
                self.end(number)
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = state.withLock { state in
                    guard !state.isRaised, state.endedNumber != number else {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            end(number)
        }
        timer?.cancel()
    }

    private func end(_ number: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waitNumber == number else { return nil }
            state.endedNumber = number
            return state.takeWaiter()
        }
        waiter?.resume()
    }
}
