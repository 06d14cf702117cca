package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Takes back a message that is still owed: no attempt starts from here on.
    ///
    /// The result of an attempt that has started already is recorded all the same and shown beside this end.
    ///
    /// - Returns: Whether it was still owed.
    package mutating func cancelMessage(_ id: MessageID, reason: String, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            with done as (
                   delete from outbox where app_id = \(scope.appID) and id = \(id)
                   returning app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, payload,
                             replay_of, trace, created_at)
            insert into deliveries (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, outcome, reason,
                                    attempt_count, payload, replay_of, trace, created_at, ended_at)
            select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, 'cancelled', \(reason)::text,
                   attempt_count, payload, replay_of, trace, created_at, \(now)::timestamptz
              from done
            """
        ) { $0.affectedCount == 1 }
    }
}
