import Synchronization

/// A value that others can wait on: whoever waits is woken by the change, not by asking again.
///
/// Tests and the mail catcher wait for "the mail is here" or "the third RCPT has been reached". Polling would make
/// them slow where nothing happens and flaky where the machine is busy.
package final class Watched<State: Sendable>: Sendable {
    private struct Contents {
        var state: State
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private struct Waiter: Sendable {
        /// Looks at the state; resumes the waiting task and says true if what it waits for has come.
        let offer: @Sendable (State) -> Bool
        let cancel: @Sendable () -> Void
    }

    private let contents: Mutex<Contents>

    /// Starts with a value.
    package init(_ state: State) {
        contents = Mutex(Contents(state: state))
    }

    /// The value as it is now.
    package var current: State { contents.withLock { $0.state } }

    /// Changes the value and wakes every waiter whose condition now holds.
    package func update<Result: Sendable>(_ change: (inout State) -> Result) -> Result {
        contents.withLock { contents in
            let result = change(&contents.state)
            let state = contents.state
            contents.waiters = contents.waiters.filter { !$0.value.offer(state) }
            return result
        }
    }

    /// Waits until `find` returns something, at once if it already does.
    ///
    /// - Parameters:
    ///   - bound: How long to wait at most.
    ///   - find: Called under the lock after every change, so it must be quick and must not touch this object.
    /// - Returns: What `find` returned.
    /// - Throws: `WaitTimedOut` after `bound`, or `CancellationError`.
    package func wait<Value: Sendable>(
        within bound: Duration, until find: @escaping @Sendable (State) -> Value?
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await self.value(until: find) }
            group.addTask {
                try await Task.sleep(for: bound)
                throw WaitTimedOut(bound: bound)
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    private func value<Value: Sendable>(until find: @escaping @Sendable (State) -> Value?) async throws -> Value {
        let number = contents.withLock { contents in
            contents.nextWaiter += 1
            return contents.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(
                    offer: { state in
                        guard let value = find(state) else { return false }
                        continuation.resume(returning: value)
                        return true
                    },
                    cancel: { continuation.resume(throwing: CancellationError()) })
                contents.withLock { contents in
                    // The flag is read under the lock that the cancellation handler takes, so none is missed.
                    if Task.isCancelled {
                        waiter.cancel()
                    } else if !waiter.offer(contents.state) {
                        contents.waiters[number] = waiter
                    }
                }
            }
        } onCancel: {
            contents.withLock { $0.waiters.removeValue(forKey: number) }?.cancel()
        }
    }
}

/// What was waited for did not come in time.
package struct WaitTimedOut: Error {
    /// How long the wait lasted.
    package let bound: Duration
}
