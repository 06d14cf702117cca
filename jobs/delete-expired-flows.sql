-- Deletes flows a day after they expired.
--
-- A flow is useless once it has expired: every read checks that itself. The day is kept so that support can
-- still see why a link did not work. The candidates are found by flows_expired and handed over by their place in
-- the table, because `(app_id, id) in (select …)` lets the planner read all of it; a flow that someone holds
-- locked is stepped over and taken by the next run.
--
-- schedule:  */5 * * * *
-- batch:     500
-- retention: 24 hours
-- timeout:   10 seconds

delete from flows
 where ctid = any (array(
         select ctid
           from flows
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;
