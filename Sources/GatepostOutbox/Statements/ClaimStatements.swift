import GatepostModel
import Postgres

/// The statements that find and claim what is due; they leave the planner no choice.
///
/// It takes a queue for empty, and then reading a whole index costs nothing: each of these was seen to go wrong within
/// a minute of a held snapshot, at 60 to 100 ms instead of 1 to 2. So each has one index that it can use at all, which
/// `app_id is not null` and `due_at > '-infinity'` decide, and the worker's transactions have sequential scans, hash
/// joins and merge joins off. A test explains them.
enum ClaimStatements {
    static func promote(since floor: Instant?, at now: Instant) -> SQL {
        let fromFloor: SQL = floor.map { "and due_at >= \($0)" } ?? ""
        return """
            update outbox set ready = true, due_at = \(now)
             where ctid = any (array(
                     select ctid from outbox
                      where not ready and held_at is null and due_at <= \(now) \(fromFloor)
                      order by due_at
                      limit \(OutboxLimits.promotedRowsMax)
                        for update skip locked))
            """
    }

    /// Materialized and limited before it is grouped: else the whole primary key is walked, since it is sorted by app.
    static func discover(_ lane: Lane, since floor: Instant, at now: Instant) -> SQL {
        """
        with fresh as materialized (
               select app_id, due_at from outbox
                where ready and held_at is null and lane = \(lane) and due_at > '-infinity'
                  and due_at >= \(floor) and due_at <= \(now)
                order by lane, due_at
                limit \(OutboxLimits.discoveredRowsMax))
        select app_id, min(due_at) as floor, max(due_at) as last_ready_at, count(*) as row_count
          from fresh
         group by app_id
        """
    }

    static func lookForApps(_ lane: Lane) -> SQL {
        """
        with recursive walk as (
               (select app_id, due_at from outbox
                 where ready and held_at is null and app_id is not null and lane = \(lane)
                 order by lane, app_id, due_at
                 limit 1)
                union all
               select next.app_id, next.due_at
                 from walk
                cross join lateral (
                        select app_id, due_at from outbox
                         where ready and held_at is null and app_id > walk.app_id and lane = \(lane)
                         order by lane, app_id, due_at
                         limit 1) as next)
        select app_id, due_at as floor from walk limit \(OutboxLimits.lookedAtAppsMax)
        """
    }

    /// Picked and locked in the lateral look-up, because grouping and windows refuse `for update`.
    static func claim(_ lane: Lane, of turns: [AppTurn], rowsPerApp: Int, leaseEnd: Instant) -> SQL {
        """
        with turn as (
               select * from unnest(\(turns.map(\.app)), \(turns.map(\.floor))) as t (app_id, floor)),
             pick as (
               select o.ctid, o.due_at
                 from turn as t
                cross join lateral (
                        select ctid, due_at from outbox as q
                         where ready and held_at is null and lane = \(lane) and q.app_id = t.app_id
                           and q.due_at >= t.floor
                         order by lane, app_id, due_at
                         limit \(rowsPerApp)
                           for update skip locked) as o)
        update outbox as o
           set ready = false, due_at = \(leaseEnd), claim_number = claim_number + 1
          from pick
         where o.ctid = pick.ctid
        returning o.app_id, o.id, o.kind, o.lane, o.route, o.flow_id, o.user_id, o.payload, o.trace, o.created_at,
                  o.expires_at, pick.due_at as ready_at, o.claim_number, o.attempt_count
        """
    }

    /// The rows of claims, where they are these claims' still.
    static func standing(_ claims: [ClaimKey]) -> SQL {
        """
        select c.app_id, c.id, c.claim_number, row.is_held
          from unnest(\(claims.map(\.app)), \(claims.map(\.message)), \(claims.map(\.number)))
               as c (app_id, id, claim_number)
         cross join lateral (
                select o.held_at is not null as is_held from outbox as o
                 where o.app_id = c.app_id and o.id = c.id and o.claim_number = c.claim_number
                offset 0) as row
        """
    }
}
