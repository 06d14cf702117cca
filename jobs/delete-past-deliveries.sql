-- Deletes what became of messages that an app keeps no longer, where others keep theirs longer.
--
-- How long is the app's own setting, else the retention below; what is past it is hidden at once and deleted here.
-- Whole days that no app needs any more are dropped as partitions, which costs nothing, so the apps that keep the most
-- are left out until the grace is over; it also takes what came too late to have a partition.
--
-- A ctid recurs in each partition, so rows are named by their whole key; its ended_at leads to the one partition. They
-- are found by their app, in the partitions of days before its limit only.
--
-- schedule:  33 * * * *
-- batch:     500
-- retention: 30 days
-- grace:     3 days
-- timeout:   30 seconds

with kept as materialized (
       select id,
              coalesce(make_interval(secs => (settings ->> 'delivery_history_seconds')::bigint), :'retention'::interval)
              as life
         from apps),
     due as materialized (
       select id,
              :'now'::timestamptz - life
              - case when life < (select max(life) from kept) then interval '0' else :'grace'::interval end as before
         from kept)
delete from deliveries
 where (app_id, id, ended_at) in (
         select p.app_id, p.id, p.ended_at
           from due
          cross join lateral (
                  select app_id, id, ended_at
                    from deliveries
                   where app_id = due.id and ended_at < due.before
                   limit :batch) as p
          limit :batch)
returning app_id;
