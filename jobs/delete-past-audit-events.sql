-- Deletes audit events that are older than their app keeps them.
--
-- How long is the app's own setting, else 400 days: a year, and the month in which it is audited. What is past it is
-- neither listed nor exported before it is deleted. Events are never changed, so nothing need be locked to find them
-- again by their place; a second run at the same time meets rows that are gone, and ends.
--
-- schedule:  40 * * * *
-- batch:     1000
-- retention: 400 days
-- timeout:   30 seconds

delete from audit_events
 where ctid = any (array(
         select e.spot
           from apps as a
          cross join lateral (
                  select ctid as spot
                    from audit_events
                   where app_id = a.id
                     and created_at < :'now'::timestamptz
                         - coalesce(make_interval(secs => (a.settings ->> 'audit_history_seconds')::bigint),
                                    :'retention'::interval)
                   order by created_at
                   limit :batch) as e
          limit :batch))
returning app_id;
