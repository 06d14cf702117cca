package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Takes back a message that is still owed: no attempt starts from here on.
    ///
    /// The result of an attempt that has started already is recorded all the same and shown beside this end.
    ///
    /// What a worker settles in Postgres alone is nobody's to take back: a key rotation, a part of an export.
    ///
    /// - Returns: Whether it was still owed.
    package mutating func cancelMessage(_ id: MessageID, reason: String, at now: Instant) -> BatchReading<Bool> {
        let isSomebodys: SQL = "id = \(id) and route <> \(OutboxMessage.localRoute)"
        return read(cancel(where: isSomebodys, reason: reason, at: now)) { $0.affectedCount == 1 }
    }

    /// Takes back every mail that is still owed to a user.
    package mutating func cancelMails(to user: UserID, reason: String, at now: Instant) {
        add(cancel(where: "user_id = \(user) and route = \(OutboxMessage.mailRoute)", reason: reason, at: now))
    }

    private func cancel(where condition: SQL, reason: String, at now: Instant) -> SQL {
        """
        with done as (
               delete from outbox where app_id = \(scope.appID) and \(condition)
               returning app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, payload,
                         replay_of, trace, created_at, expires_at)
        insert into deliveries (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, outcome, reason,
                                attempt_count, payload, replay_of, trace, created_at, expires_at, ended_at)
        select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, 'cancelled', \(reason)::text,
               attempt_count, payload, replay_of, trace, created_at, expires_at, \(now)::timestamptz
          from done
        """
    }
}
