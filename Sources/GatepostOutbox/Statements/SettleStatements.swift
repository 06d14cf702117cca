import GatepostModel
import Postgres

/// The statements that settle claimed messages, in batches.
///
/// Rows are found by key in a lateral look-up with `offset 0` and then taken by `ctid`: a plain join became a scan of
/// the whole primary key (60 ms instead of 1), and joining what was deleted to its settlement again is quadratic.
enum SettleStatements {
    /// Moves messages from the outbox to the ledger; the deletion is what makes the end single.
    static func end(_ settlements: [Settlement]) -> SQL {
        let columns = SettlementColumns(settlements)
        return """
            with s as (
                   select * from unnest(\(columns.keysAndAttempts), \(columns.ends))
                          as s (\(SettlementColumns.names), outcome, reason)),
                 \(found),
                 done as (
                   delete from outbox as o using found where o.ctid = found.spot
                   returning found.*, o.kind, o.lane, o.route, o.flow_id, o.user_id, o.recipient_hash, o.payload,
                             o.replay_of, o.trace, o.created_at, o.expires_at),
                 ended as (
                   insert into deliveries (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, outcome,
                                           reason, attempt_count, payload, replay_of, trace, created_at, expires_at,
                                           ended_at)
                   select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, outcome, reason,
                          attempt_count + (attempt_outcome is not null)::int, payload, replay_of, trace, created_at,
                          expires_at, settled_at
                     from done),
                 attempts as (\(insertAttempts("from done where attempt_outcome is not null")))
            select id, claim_number from done
            """
    }

    /// Puts messages back: to wait for another try, or to be claimed at once.
    static func putBack(_ settlements: [Settlement]) -> SQL {
        let columns = SettlementColumns(settlements)
        return """
            with s as (
                   select * from unnest(\(columns.keysAndAttempts), \(columns.returns))
                          as s (\(SettlementColumns.names), is_ready, due_at)),
                 \(found),
                 done as (
                   update outbox as o
                      set ready = found.is_ready, due_at = found.due_at,
                          attempt_count = o.attempt_count + (found.attempt_outcome is not null)::int
                     from found
                    where o.ctid = found.spot
                   returning found.*),
                 attempts as (\(insertAttempts("from done where attempt_outcome is not null")))
            select id, claim_number from done
            """
    }

    /// Says why settlements found no row, and keeps the attempt of a message that was cancelled: it was sent.
    static func explainMissing(_ settlements: [Settlement]) -> SQL {
        let columns = SettlementColumns(settlements)
        return """
            with s as (
                   select * from unnest(\(columns.keysAndAttempts)) as s (\(SettlementColumns.names))),
                 fates as materialized (
                   select s.*,
                          exists (select from outbox as o
                                   where o.app_id = s.app_id and o.id = s.id and o.claim_number = s.claim_number
                                     and o.attempt_count = s.attempt_count
                                  offset 0) as is_ours,
                          exists (select from deliveries as d
                                   where d.app_id = s.app_id and d.id = s.id and d.outcome = 'cancelled'
                                  offset 0) as is_cancelled
                     from s),
                 attempts as (\(insertAttempts("from fates where attempt_outcome is not null and is_cancelled")))
            select id, claim_number, is_ours, is_cancelled from fates
            """
    }

    /// The rows that are still this claim's, locked.
    ///
    /// The attempt count is part of the fence, see `Settlement`.
    private static let found: SQL = """
        found as materialized (
          select s.*, row.spot
            from s
           cross join lateral (
                   select o.ctid as spot from outbox as o
                    where o.app_id = s.app_id and o.id = s.id and o.claim_number = s.claim_number
                      and o.attempt_count = s.attempt_count
                   offset 0
                      for update) as row)
        """

    /// `on conflict`, because the attempt of a cancelled message may be sent again after its answer got lost.
    private static func insertAttempts(_ rows: SQL) -> SQL {
        """
        insert into delivery_attempts (app_id, message_id, claim_number, outcome, code, reply, started_at, ended_at)
        select app_id, id, claim_number, attempt_outcome, code, reply, attempt_started_at, attempt_ended_at
        \(rows)
        on conflict do nothing
        """
    }
}
