package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Keeps a message that is still owed from being claimed, until it is released.
    ///
    /// An attempt that is under way may finish, and its result counts: a message that was delivered after all ends, one
    /// that is to be tried again stays held.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func holdMessage(_ id: MessageID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            update outbox set held_at = \(now)
             where app_id = \(scope.appID) and id = \(id) and held_at is null
               and route <> \(OutboxMessage.localRoute)
            """
        ) { $0.affectedCount == 1 }
    }

    /// Lets a held message be claimed again.
    ///
    /// It becomes ready now, unless it waits for a retry or somebody's lease that is not over: then it goes on waiting,
    /// because that worker may still be sending it.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func releaseMessage(_ id: MessageID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            update outbox
               set held_at = null, ready = ready or due_at <= \(now),
                   due_at = case when ready or due_at <= \(now) then \(now)::timestamptz else due_at end
             where app_id = \(scope.appID) and id = \(id) and held_at is not null
               and route <> \(OutboxMessage.localRoute)
            """
        ) { $0.affectedCount == 1 }
    }
}
