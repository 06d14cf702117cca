import GatepostOutbox
import GatepostWorkers
import Synchronization

/// A handler that only writes Postgres, and whose commit now and then goes unanswered.
///
/// It has settled the message in its own transaction and the worker does not know: what the worker settles then must
/// find nothing left.
final class ForgetfulHandler: Handler, Sendable {
    /// Each so many commits, one answer is lost.
    static let lostEvery = 3

    private let handler: any Handler
    private let settledCount = Mutex(0)

    init(_ handler: any Handler) {
        self.handler = handler
    }

    func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        let result = await handler.handle(message, deadline: deadline)
        guard case .settled = result else { return result }
        let count = settledCount.withLock { count in
            count += 1
            return count
        }
        return count % Self.lostEvery == 0 ? .failedBeforeNetwork("the answer to the commit was lost") : result
    }
}
